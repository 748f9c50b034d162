using ImageStore.Shim.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Tests.Interop;

public sealed class UnixSocketsTests : IDisposable
{
    private const int MoreThanWait = 4096;

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("sockets");

    private string Address => Path.Combine(_work.FullName, "s");

    [Fact]
    public void Connect_ToNobody_SaysSo()
    {
        Assert.Equal(ConnectResult.Nobody, UnixSockets.TryConnect(Address, out _));
        UnixSockets.TryListen(Address)!.Dispose();
        Assert.Equal(ConnectResult.Nobody, UnixSockets.TryConnect(Address, out _));
    }

    [Fact]
    public void Connect_ToOneForWhomManyWait_DoesNotWaitAndDoesNotTakeItForNobody()
    {
        using var listener = UnixSockets.TryListen(Address)!;
        List<SafeFileHandle> waiting = [];
        ConnectResult result;
        while ((result = UnixSockets.TryConnect(Address, out var connected)) == ConnectResult.Connected && waiting.Count < MoreThanWait)
        {
            waiting.Add(connected!);
        }

        waiting.ForEach(connection => connection.Dispose());
        Assert.Equal(ConnectResult.Busy, result);
    }

    public void Dispose() => _work.Delete(recursive: true);
}
