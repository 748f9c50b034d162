using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImageStore.Distribution.Tests.Support;

/// <summary>A server that writes whatever it is told to, whether it is HTTP or not.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<NetworkStream, CancellationToken, Task> _answer;
    private readonly Task _accepting;

    /// <param name="answer">Writes the answer to each request; then the connection is closed.</param>
    public RawServer(Func<NetworkStream, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Host => _listener.LocalEndpoint.ToString()!;

    public static Func<NetworkStream, CancellationToken, Task> Text(string answer) =>
        (stream, stop) => stream.WriteAsync(Encoding.Latin1.GetBytes(answer), stop).AsTask();

    /// <summary>Writes <paramref name="start"/>, and then <paramref name="more"/> again and again.</summary>
    public static Func<NetworkStream, CancellationToken, Task> Endless(string start, string more, TimeSpan pause) => async (stream, stop) =>
    {
        await Text(start)(stream, stop);
        while (true)
        {
            await Text(more)(stream, stop);
            await Task.Delay(pause, stop);
        }
    };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // It was stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.Latin1, leaveOpen: true);
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 })
                {
                }

                await _answer(stream, _stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                // The client has had enough.
            }
        }
    }
}
