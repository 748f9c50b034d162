using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using ImageStore.Daemon.Auditing;
using ImageStore.Engine.Configuration;

namespace ImageStore.Daemon.Tests.Auditing;

public sealed class AuditLogTests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestored-");
    private readonly ConcurrentQueue<string> _told = [];
    private bool _isMounted;

    private string File => Path.Combine(_work.FullName, "audit.log");

    public void Dispose()
    {
        if (_isMounted)
        {
            Run("umount", _work.FullName);
        }

        _work.Delete(recursive: true);
    }

    [Fact]
    public async Task WriteAsync_ALine_IsInTheFileWhenItReturns()
    {
        await using var log = Open();
        await log.WriteAsync(Line("one"));
        Assert.Equal("one\n", System.IO.File.ReadAllText(File));
        await log.WriteAsync(Line("two"));
        Assert.Equal("one\ntwo\n", System.IO.File.ReadAllText(File));
        Assert.Empty(_told);
    }

    [Fact]
    public async Task WriteAsync_OnAFullDisk_GoesToStandardErrorUntilThereIsRoom()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to mount");
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", _work.FullName) == 0, "needs tmpfs");
        _isMounted = true;
        await using var log = Open();
        await log.WriteAsync(Line("first"));
        var ballast = Path.Combine(_work.FullName, "ballast");
        Fill(ballast);

        // The page that the first line began has room for some more.
        var filling = new string('x', 3000);
        await log.WriteAsync(Line(filling));
        await log.WriteAsync(Line("lost " + filling));
        await log.WriteAsync(Line("lost again " + filling));

        Assert.Equal($"first\n{filling}\n", System.IO.File.ReadAllText(File));
        Assert.Equal(
            ["the audit log cannot be written, and its lines", "audit: lost xxx", "audit: lost again xxx"],
            _told.Select(line => line[..Math.Min(line.Length, line.StartsWith("the", StringComparison.Ordinal) ? 46 : line.IndexOf('x') + 3)]));

        System.IO.File.Delete(ballast);
        await log.WriteAsync(Line("found"));
        Assert.EndsWith("x\nfound\n", System.IO.File.ReadAllText(File), StringComparison.Ordinal);
        Assert.Equal("the audit log is written again", _told.Last());
        Assert.Equal(4, _told.Count);
    }

    [Fact]
    public async Task DisposeAsync_AfterManyLines_HasAllOfThemInTheirOrder()
    {
        var log = Open();
        for (var i = 0; i < 100; i++)
        {
            _ = log.WriteAsync(Line($"{i}")).AsTask();
        }

        await log.DisposeAsync();
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), System.IO.File.ReadAllLines(File));
    }

    private static byte[] Line(string text) => Encoding.UTF8.GetBytes(text + "\n");

    private static void Fill(string file)
    {
        using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var i = 0; i < 1024; i++)
            {
                stream.Write(new byte[4096]);
            }
        }
        catch (IOException)
        {
            return;
        }

        Assert.Fail("the disk is not full");
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }

    private AuditLog Open() => AuditLog.Open(File, new AuditSettings(), _told.Enqueue, TimeProvider.System);
}
