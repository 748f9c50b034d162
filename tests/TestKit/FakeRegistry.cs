using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ImageStore.Store.Oci;

namespace ImageStore.TestKit;

/// <summary>A registry in this process, on a loopback port, that serves what it is given and fails when told to.</summary>
public sealed class FakeRegistry : IAsyncDisposable
{
    private const int MaxHeadBytes = 64 * 1024;
    private const int PausesPerSecond = 50;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, (string MediaType, byte[] Bytes)> _content = new();
    private readonly ConcurrentQueue<Func<FakeRequest, FakeResponse?>> _faults = new();
    private readonly Task _accepting;

    /// <summary>Starts it.</summary>
    public FakeRegistry()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Host and port.</summary>
    public string Host => _listener.LocalEndpoint.ToString()!;

    /// <summary>Every request so far.</summary>
    public ConcurrentQueue<FakeRequest> Requests { get; } = new();

    /// <summary>Looks at each request first; what it returns is sent instead.</summary>
    public Func<FakeRequest, FakeResponse?>? Intercept { get; set; }

    /// <summary>Adds a blob.</summary>
    public Descriptor AddBlob(string repository, byte[] bytes, string mediaType = MediaTypes.OciLayerGzip)
    {
        var digest = Digest.Compute(bytes);
        _content[$"/v2/{repository}/blobs/{digest}"] = ("application/octet-stream", bytes);
        return new Descriptor { MediaType = mediaType, Digest = digest, Size = bytes.Length };
    }

    /// <summary>Adds a manifest under its digest and <paramref name="tag"/>.</summary>
    public Descriptor AddManifest(string repository, string tag, byte[] bytes, string mediaType = MediaTypes.OciManifest)
    {
        var digest = Digest.Compute(bytes);
        _content[$"/v2/{repository}/manifests/{digest}"] = (mediaType, bytes);
        _content[$"/v2/{repository}/manifests/{tag}"] = (mediaType, bytes);
        return new Descriptor { MediaType = mediaType, Digest = digest, Size = bytes.Length };
    }

    /// <summary>Answers the next request with what <paramref name="fault"/> returns; null serves it as usual.</summary>
    public void Next(Func<FakeRequest, FakeResponse?> fault) => _faults.Enqueue(fault);

    /// <summary>What it takes, and how.</summary>
    public FakeUploads Uploads { get; } = new();

    /// <summary>The bytes at a path; null when there are none.</summary>
    public byte[]? Find(string path) => _content.TryGetValue(path, out var content) ? content.Bytes : null;

    internal void Put(string path, string mediaType, byte[] bytes) => _content[path] = (mediaType, bytes);

    internal bool Remove(string path) => _content.TryRemove(path, out _);

    internal bool Mount(string? from, string to, string digest) =>
        _content.TryGetValue($"/v2/{from}/blobs/{digest}", out var blob) && (_content[$"/v2/{to}/blobs/{digest}"] = blob).Bytes is not null;

    internal IReadOnlyList<(string MediaType, byte[] Bytes)> Manifests(string repository) =>
        [.. _content.Where(entry => entry.Key.StartsWith($"/v2/{repository}/manifests/sha", StringComparison.Ordinal)).Select(entry => entry.Value)];

    /// <summary>What it serves without any fault.</summary>
    public FakeResponse Serve(FakeRequest request)
    {
        if (Uploads.Serve(request, this) is { } written)
        {
            return written;
        }

        if (!_content.TryGetValue(request.Target, out var content))
        {
            return FakeResponse.Text(404, """{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}""");
        }

        var headers = new Dictionary<string, string> { ["Content-Type"] = content.MediaType };
        if (request.Target.Contains("/manifests/", StringComparison.Ordinal))
        {
            headers["Docker-Content-Digest"] = Digest.Compute(content.Bytes).ToString();
        }

        if (request.Header("Range") is { } range)
        {
            var ends = range["bytes=".Length..].Split('-');
            var from = int.Parse(ends[0], CultureInfo.InvariantCulture);
            var end = ends[1].Length == 0 ? content.Bytes.Length : int.Parse(ends[1], CultureInfo.InvariantCulture) + 1;
            if (from >= content.Bytes.Length)
            {
                return new FakeResponse { Status = 416 };
            }

            headers["Content-Range"] = $"bytes {from}-{end - 1}/{content.Bytes.Length}";
            return new FakeResponse { Status = 206, Headers = headers, Body = content.Bytes[from..end] };
        }

        return new FakeResponse { Headers = headers, Body = content.Bytes };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _accepting.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                _ = Task.Run(() => ServeAsync(client), CancellationToken.None);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                if (await ReadAsync(stream).ConfigureAwait(false) is not { } request)
                {
                    return;
                }

                Requests.Enqueue(request);
                var response = (_faults.TryDequeue(out var fault) ? fault(request) : null)
                    ?? Intercept?.Invoke(request)
                    ?? Serve(request);
                await WriteAsync(stream, request, response).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The other side went away, or we are stopping.
            }
        }
    }

    private async Task<FakeRequest?> ReadAsync(NetworkStream stream)
    {
        var buffer = new byte[MaxHeadBytes];
        var length = 0;
        int end;
        while ((end = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), _stop.Token).ConfigureAwait(false);
            if (read == 0)
            {
                return null;
            }

            length += read;
        }

        var lines = Encoding.ASCII.GetString(buffer, 0, end).Split("\r\n");
        var headers = lines.Skip(1).Select(line => line.Split(':', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim(), StringComparer.OrdinalIgnoreCase);
        var bodyEnd = end + 4
            + (headers.TryGetValue("Content-Length", out var size) ? int.Parse(size, CultureInfo.InvariantCulture) : 0);
        if (bodyEnd > buffer.Length)
        {
            Array.Resize(ref buffer, bodyEnd);
        }

        while (length < bodyEnd)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), _stop.Token).ConfigureAwait(false);
            length += read > 0 ? read : throw new IOException("The request's body broke off.");
        }

        var start = lines[0].Split(' ');
        return new FakeRequest(start[0], start[1], headers, buffer[(end + 4)..bodyEnd]);
    }

    private async Task WriteAsync(NetworkStream stream, FakeRequest request, FakeResponse response)
    {
        var head = new StringBuilder($"HTTP/1.1 {response.Status} X\r\nConnection: close\r\n");
        foreach (var (name, value) in response.Headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        if (!response.OmitLength && !response.Endless && !response.Headers.ContainsKey("Content-Length"))
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {response.Body.Length}\r\n");
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), _stop.Token).ConfigureAwait(false);
        if (request.Method == "HEAD")
        {
            return;
        }

        var length = Math.Min(response.TruncateAt ?? response.StallAt ?? response.Body.Length, response.Body.Length);
        do
        {
            var step = response.BytesPerSecond / PausesPerSecond ?? length;
            var fast = Math.Min(response.FastBytes, length);
            await stream.WriteAsync(response.Body.AsMemory(0, fast), _stop.Token).ConfigureAwait(false);
            for (var sent = fast; sent < length; sent += step)
            {
                await stream.WriteAsync(response.Body.AsMemory(sent, Math.Min(step, length - sent)), _stop.Token).ConfigureAwait(false);
                if (response.BytesPerSecond is not null)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1) / PausesPerSecond, _stop.Token).ConfigureAwait(false);
                }
            }
        }
        while (response.Endless);
        if (response.StallAt is not null)
        {
            await Task.Delay(Timeout.Infinite, _stop.Token).ConfigureAwait(false);
        }
    }
}
