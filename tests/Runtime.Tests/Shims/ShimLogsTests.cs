using System.Collections.Concurrent;
using System.Diagnostics;
using ImageStore.Runtime.Shims;
using ImageStore.Runtime.Tests.Support;

namespace ImageStore.Runtime.Tests.Shims;

public sealed class ShimLogsTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly Folder _folder = new();
    private readonly BlockingCollection<string> _told = [];
    private readonly ShimLogs _logs;

    public ShimLogsTests() => _logs = new ShimLogs(_told.Add);

    public void Dispose()
    {
        _logs.Dispose();
        _folder.Dispose();
        _told.Dispose();
    }

    [Fact]
    public void Lines_OfAll_AreTold_AlsoOfAWriterThatComesAgain()
    {
        _logs.Add(_folder.In("a"), "ns/a");
        _logs.Add(_folder.In("b"), "ns/b");
        File.WriteAllText(_folder.In("a"), "one\ntw");
        Assert.Equal("ns/a: one", Next());
        File.WriteAllText(_folder.In("b"), "three\n");
        Assert.Equal("ns/b: three", Next());
        File.WriteAllText(_folder.In("a"), "o\n\n\u001b[31mred\n");
        Assert.Equal("ns/a: two", Next());
        Assert.Equal("ns/a: \\u001b[31mred", Next());
    }

    [Fact]
    public void Lines_LongerThanTheLimit_AreCut()
    {
        _logs.Add(_folder.In("a"), "a");
        File.WriteAllText(_folder.In("a"), new string('x', ShimLimits.LogLineBytes + 1) + "\n");
        Assert.StartsWith("a: xxx", Next(), StringComparison.Ordinal);
        Assert.Equal("a: x", Next());
    }

    [Fact]
    public void Remove_ClosesTheFifoAndLeavesTheOthers()
    {
        _logs.Add(_folder.In("a"), "a");
        _logs.Add(_folder.In("b"), "b");
        _logs.Remove(_folder.In("a"));
        File.WriteAllText(_folder.In("b"), "still\n");
        Assert.Equal("b: still", Next());
        for (var until = Stopwatch.StartNew(); IsOpen(_folder.In("a")); Thread.Sleep(10))
        {
            Assert.True(until.Elapsed < s_patience, "the fifo is open still");
        }
    }

    [Fact]
    public void Add_OfALogThatIsThere_GoesOn()
    {
        _logs.Add(_folder.In("a"), "a");
        _logs.Remove(_folder.In("a"));
        _logs.Add(_folder.In("a"), "again");
        File.WriteAllText(_folder.In("a"), "x\n");
        Assert.Equal("again: x", Next());
    }

    private static bool IsOpen(string path) =>
        Directory.EnumerateFiles("/proc/self/fd").Any(descriptor => new FileInfo(descriptor).LinkTarget == path);

    private string Next() => _told.TryTake(out var line, s_patience) ? line : throw new TimeoutException();
}
