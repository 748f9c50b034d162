using System.Net.Sockets;
using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Tests.Support;

namespace ImageStore.Daemon.Tests.Authorization;

public sealed class PeerTests
{
    [Fact]
    public void Of_AConnection_IsWhoTheKernelSays()
    {
        var peer = PeerOf(socket => socket());
        Assert.NotNull(peer);
        Assert.Equal(Environment.IsPrivilegedProcess, peer.User == 0);
        Assert.Equal(Environment.ProcessId, peer.Process);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(100)]
    public void Of_SomebodyElse_HasTheGroupsBeside(int count)
    {
        Somebody.NeedRoot();
        uint[] groups = [.. Enumerable.Range(5000, count).Select(id => (uint)id)];
        var peer = PeerOf(connect => Somebody.Do(1234, groups, connect));
        Assert.NotNull(peer);
        Assert.Equal((1234u, 1234u), (peer.User, peer.Group));
        Assert.Equal(groups, peer.Groups.Order());
    }

    [Fact]
    public void Of_NoSocket_IsUnknown() => Assert.Null(Peer.Of(null));

    private static Peer? PeerOf(Action<Action> connecting)
    {
        var work = Directory.CreateTempSubdirectory("imagestored-");
        try
        {
            var path = Path.Combine(work.FullName, "s");
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen(1);
            File.SetUnixFileMode(work.FullName, (UnixFileMode)0b111_111_111);
            File.SetUnixFileMode(path, (UnixFileMode)0b110_110_110);
            using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            connecting(() => client.Connect(new UnixDomainSocketEndPoint(path)));
            using var accepted = listener.Accept();
            return Peer.Of(accepted);
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }
}
