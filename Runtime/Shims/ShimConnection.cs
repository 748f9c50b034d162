using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Ttrpc;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Shims;

/// <summary>An open connection to a shim, for one container of those that it has.</summary>
internal sealed class ShimConnection : IAsyncDisposable
{
    private const string NamespaceHeader = "containerd-namespace-ttrpc";

    // From the end of a call to that of the connection.
    private static readonly TimeSpan s_closing = TimeSpan.FromSeconds(1);

    private readonly TtrpcClient _client;
    private readonly TimeProvider _time;
    private readonly string _service;
    private readonly KeyValuePair<string, string>[] _headers;
    private int _isDisposed;

    private ShimConnection(TtrpcClient client, int version, string @namespace, TimeProvider time)
    {
        (_client, _time) = (client, time);
        _service = $"containerd.task.v{version}.Task";
        _headers = [new(NamespaceHeader, @namespace)];
    }

    /// <summary>Ends when the shim has gone, or the connection was disposed of.</summary>
    public Task Closed => _client.Closed;

    /// <summary>Connects.</summary>
    /// <exception cref="ImageStoreException">Nobody listens there (<see cref="ErrorKind.Unavailable"/>).</exception>
    public static async Task<ShimConnection> OpenAsync(ShimAddress address, string @namespace, TimeProvider time, CancellationToken cancellationToken)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(address.Socket), cancellationToken).ConfigureAwait(false);
            return new ShimConnection(new TtrpcClient(new NetworkStream(socket, ownsSocket: true), time), address.Version, @namespace, time);
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            socket?.Dispose();
            throw new ImageStoreException(
                ErrorKind.Unavailable, $"The shim at {Printable.Of(address.Socket)} does not answer: {Printable.Of(failure.Message)}", null, failure);
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
    }

    /// <summary>Is the shim gone? A call that ended with <see cref="RpcCode.Unavailable"/> may also have been answered so.</summary>
    public async Task<bool> IsGoneAsync()
    {
        await Task.WhenAny(Closed, Task.Delay(s_closing, _time, CancellationToken.None)).ConfigureAwait(false);
        return Closed.IsCompleted;
    }

    /// <summary>Calls a method of the task service.</summary>
    /// <exception cref="RpcException">The shim's error, or it is gone (<see cref="RpcCode.Unavailable"/>).</exception>
    public async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> answer, TimeSpan timeout, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        using var late = new CancellationTokenSource(timeout, _time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            // The client would leave a connection on which a call cannot be sent in time, and that would pass for the shim's end.
            return await _client.CallAsync(_service, method, request, answer, _headers, Timeout.InfiniteTimeSpan, end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(RpcCode.DeadlineExceeded, $"The shim does not answer {method} within {timeout.TotalSeconds:0} s.");
        }
        finally
        {
            // The client goes on on the thread that reads answers, as the shim's has to: whoever blocks would hold up all others.
            await Task.Yield();
        }
    }

    /// <summary>Calls a method that takes as long as it takes.</summary>
    public Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> answer, CancellationToken cancellationToken)
        where T : IMessage<T> => CallAsync(method, request, answer, Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>Asks the shim to end, unless it has other containers; a shim that ends at once may not answer.</summary>
    public async Task ShutdownAsync(string id)
    {
        try
        {
            await CallAsync("Shutdown", new ShutdownRequest { Id = id }, Empty.Parser, ShimLimits.Shutdown, CancellationToken.None).ConfigureAwait(false);
        }
        catch (RpcException)
        {
        }
    }

    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _isDisposed, 1) == 0 ? _client.DisposeAsync() : ValueTask.CompletedTask;
}
