using System.Net.Sockets;
using ImageStore.Daemon.Hosting;

namespace ImageStore.Daemon.Tests.Hosting;

public sealed class PeerGateTests
{
    [Theory]
    [InlineData(0u, 1000u, true)]
    [InlineData(1000u, 1000u, true)]
    [InlineData(1001u, 1000u, false)]
    [InlineData(1001u, 0u, false)]
    [InlineData(null, null, false)]
    [InlineData(null, 0u, false)]
    public void IsAllowed_AUser_WhenRootOrTheDaemonsOwn(uint? user, uint? own, bool allowed) => Assert.Equal(allowed, PeerGate.IsAllowed(user, own));

    [Fact]
    public void UserOf_AConnection_IsWhoTheKernelSays()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("imagestored-").FullName, "s");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(path));
        using var accepted = listener.Accept();
        Assert.NotNull(PeerGate.UserOf(accepted));
        Assert.Equal(Environment.IsPrivilegedProcess, PeerGate.UserOf(accepted) == 0);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void UserOf_NoSocket_IsUnknown() => Assert.Null(PeerGate.UserOf(null));
}
