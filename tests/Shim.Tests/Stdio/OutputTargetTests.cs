using System.Diagnostics;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Loop;
using ImageStore.Shim.Processes;
using ImageStore.Shim.Stdio;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Tests.Stdio;

public sealed class OutputTargetTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("output");

    [Theory]
    [InlineData("file://", "fifo")]
    [InlineData("file://", "link")]
    [InlineData("", "fifo")]
    [InlineData("", "link")]
    public async Task Open_OfAFifoThatNobodyReads_WaitsForNobody(string scheme, string name)
    {
        using (var making = Process.Start("mkfifo", In("fifo")))
        {
            await making.WaitForExitAsync();
        }

        File.CreateSymbolicLink(In("link"), In("fifo"));
        using var target = await Apart(() => OutputTarget.Open(LogUri.Parse(scheme + In(name)))).WaitAsync(s_patience);
        Assert.True(FileKind.IsFifo(target));
        Assert.Equal(1, Descriptors.Write(target, [1]));

        using var loop = new EventLoop();
        using var input = Input.Open(loop, In(name));
        input.Close();
    }

    [Fact]
    public void Open_OfAFile_AddsToIt()
    {
        for (var round = 0; round < 2; round++)
        {
            using var target = OutputTarget.Open(LogUri.Parse($"file://{In("new/log")}"));
            Assert.Equal(2, Descriptors.Write(target, "x\n"u8));
        }

        Assert.Equal("x\nx\n", File.ReadAllText(In("new/log")));
    }

    [Fact]
    public void StandardErrorAlone_ForAProgram_IsRefused()
    {
        using var loop = new EventLoop();
        File.WriteAllText(In("program"), "kept");
        var factory = new StdioFactory(loop, new CommandRunner(loop, new Children(loop.Time), []), "tenant");
        var request = new StdioRequest(string.Empty, $"file://{In("out")}", $"binary://{In("program")}", Terminal: false);
        Assert.Equal(
            ErrorKind.InvalidArgument,
            Assert.Throws<ImageStoreException>(() => loop.Run(factory.OpenAsync(request, "id", 0, 0, CancellationToken.None))).Kind);
        Assert.Equal("kept", File.ReadAllText(In("program")));
    }

    [Fact]
    public void ConsoleSocket_DisposedTwice_LeavesWhatCameAfterIt()
    {
        using var loop = new EventLoop();
        var socket = new ConsoleSocket(loop);
        var folder = Path.GetDirectoryName(socket.Path)!;
        socket.Dispose();
        Assert.False(Directory.Exists(folder));
        var others = Directory.CreateDirectory(Path.Combine(folder, "others"));
        try
        {
            socket.Dispose();
            Assert.True(others.Exists && Directory.Exists(others.FullName));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public void Dispose() => _work.Delete(recursive: true);

    private static Task<T> Apart<T>(Func<T> act) =>
        Task.Factory.StartNew(act, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private string In(string name) => Path.Combine(_work.FullName, name);
}
