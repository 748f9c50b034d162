using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImageStore.Cli.Demo;

/// <summary>A read-only registry on a loopback port: GET and HEAD of what it was given, one request a connection.</summary>
internal sealed class DemoRegistry : IAsyncDisposable
{
    private const int MaxHeadBytes = 16 * 1024;
    private const int MaxConnections = 16;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    private readonly IReadOnlyDictionary<string, (string MediaType, byte[] Bytes)> _documents;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _slots = new(MaxConnections, MaxConnections);
    private readonly Task _accepting;

    public DemoRegistry(IReadOnlyDictionary<string, (string MediaType, byte[] Bytes)> documents)
    {
        _documents = documents;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Host and port.</summary>
    public string Host => _listener.LocalEndpoint.ToString()!;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        _listener.Dispose();

        // Each connection gives its slot back when it has ended.
        for (var i = 0; i < MaxConnections; i++)
        {
            await _slots.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        _slots.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                await _slots.WaitAsync(_stop.Token).ConfigureAwait(false);
                try
                {
                    var client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                    _ = Task.Run(() => ServeAsync(client), CancellationToken.None);
                }
                catch
                {
                    _slots.Release();
                    throw;
                }
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(s_limit);
        try
        {
            using (client)
            {
                var stream = client.GetStream();
                if (await ReadHeadAsync(stream, limit.Token).ConfigureAwait(false) is { } head)
                {
                    await AnswerAsync(stream, head, limit.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException)
        {
            // The other side went away, took too long, or the demo is over.
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>The request line, or null when no whole head came.</summary>
    private static async Task<string?> ReadHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxHeadBytes];
        var length = 0;
        while (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return null;
            }

            length += count;
        }

        return Encoding.Latin1.GetString(buffer, 0, buffer.AsSpan().IndexOf("\r\n"u8));
    }

    private async Task AnswerAsync(NetworkStream stream, string requestLine, CancellationToken cancellationToken)
    {
        var words = requestLine.Split(' ');
        var (method, path) = words.Length == 3 ? (words[0], words[1]) : (string.Empty, string.Empty);
        var (status, type, body) = method is not ("GET" or "HEAD")
            ? ("405 Method Not Allowed", "application/json", [])
            : path == "/v2/"
                ? ("200 OK", "application/json", "{}"u8.ToArray())
                : _documents.TryGetValue(path, out var found)
                    ? ("200 OK", found.MediaType, found.Bytes)
                    : ("404 Not Found", "application/json", (byte[])[]);
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), cancellationToken).ConfigureAwait(false);
        if (method == "GET")
        {
            await stream.WriteAsync(body, cancellationToken).ConfigureAwait(false);
        }
    }
}
