using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Cli.Root;

/// <summary>The daemon's socket, and what every call of a command has in common.</summary>
internal sealed class DaemonConnection : IDisposable
{
    private const string NamespaceHeader = "containerd-namespace";
    private const int MaxMessageBytes = 16 << 20;

    // A daemon has the root for a moment before it has its socket.
    private const int Tries = 30;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly string _address;
    private readonly GrpcChannel _channel;

    public DaemonConnection(string address, string @namespace)
    {
        (_address, Headers) = (address, new Metadata { { NamespaceHeader, @namespace } });
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageBytes,
            HttpHandler = new SocketsHttpHandler { ConnectCallback = (_, token) => ConnectAsync(address, token) },
        });
    }

    public CallInvoker Invoker => _channel.CreateCallInvoker();

    public Metadata Headers { get; }

    /// <summary>Makes a call, and has it end with what the daemon would have told without one.</summary>
    public async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (RpcException failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw DaemonFailures.From(failure, _address);
        }
    }

    public void Dispose() => _channel.Dispose();

    private static async ValueTask<Stream> ConnectAsync(string address, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await ConnectOnceAsync(address, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException) when (tries < Tries)
            {
                await Task.Delay(s_pause, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException failure)
            {
                throw new ImageStoreException(
                    ErrorKind.Unavailable,
                    $"The daemon on {Printable.Of(address)} does not answer: {Printable.Of(failure.Message)}.",
                    "Repeat the command when it has started or ended.",
                    failure);
            }
        }
    }

    private static async Task<Stream> ConnectOnceAsync(string address, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(address), cancellationToken).ConfigureAwait(false);

            // It is told for whom registries are asked: not to whoever wrote a name into a file.
            return SocketPeer.UserOf(socket) is { } user && (user == 0 || user == ProcessRights.User)
                ? new NetworkStream(socket, ownsSocket: true)
                : throw new ImageStoreException(
                    ErrorKind.PermissionDenied,
                    $"The daemon on {Printable.Of(address)} is neither root's nor your own.",
                    "Run the command as the user whose root it is.");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
