using System.Net.Sockets;

namespace ImageStore.Runtime.Tests.Support;

/// <summary>Two ends of one connection over a Unix socket.</summary>
internal sealed class SocketPair : IAsyncDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("ttrpc");

    private SocketPair()
    {
        var address = new UnixDomainSocketEndPoint(Path.Combine(_work.FullName, "s"));
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(address);
        listener.Listen();
        var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        left.Connect(address);
        Client = new NetworkStream(left, ownsSocket: true);
        Server = new NetworkStream(listener.Accept(), ownsSocket: true);
    }

    public NetworkStream Client { get; }

    public NetworkStream Server { get; }

    public static SocketPair Open() => new();

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        _work.Delete(recursive: true);
    }
}
