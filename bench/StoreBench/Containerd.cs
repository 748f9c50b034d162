using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace ImageStore.StoreBench;

/// <summary>Containerd's API, as much of it as is measured: unary gRPC over its socket.</summary>
internal sealed class Containerd : IPeer
{
    private const int Prefix = 5;

    private readonly HttpClient _client;
    private readonly string _namespace;
    private readonly string _image;

    public Containerd(string socket, string ns, string image)
    {
        (_namespace, _image) = (ns, image);
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), token);
                return new NetworkStream(connection, ownsSocket: true);
            },
        };
        _client = new HttpClient(handler) { BaseAddress = new Uri("http://localhost"), Timeout = Timeout.InfiniteTimeSpan };
    }

    public Task LeaseAsync(string id) => CallAsync("leases.v1.Leases/Create", new Protobuf().Text(1, id));

    public Task UnleaseAsync(string id) => CallAsync("leases.v1.Leases/Delete", new Protobuf().Text(1, id));

    public async Task NameAsync(string name)
    {
        // As 'ctr images tag' does, whose first call gets the image.
        var found = await CallAsync("images.v1.Images/Get", new Protobuf().Text(1, _image));
        await CallAsync("images.v1.Images/Create", new Protobuf().Part(1, new Protobuf().Text(1, name).Block(3, Protobuf.Part(Protobuf.Part(found, 1), 3))));
    }

    public Task PrepareCollectionAsync() => Task.CompletedTask;

    // With sync set, the answer comes after a collection.
    public Task CollectAsync() => CallAsync("images.v1.Images/Delete", new Protobuf().Text(1, _image).Number(2, 1));

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Calls a method by the last parts of its name.</summary>
    public async Task<byte[]> CallAsync(string method, Protobuf message)
    {
        var body = message.Bytes;
        var framed = new byte[Prefix + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), body.Length);
        body.CopyTo(framed.AsSpan(Prefix));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/containerd.services.{method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(framed) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.Add("containerd-namespace", _namespace);
        using var response = await _client.SendAsync(request);
        var answer = await response.Content.ReadAsByteArrayAsync();
        return Header("grpc-status") == "0"
            ? answer[Prefix..]
            : throw new IOException($"{method} ended with {response.StatusCode}, {Header("grpc-status")}: {Header("grpc-message")}");

        // An answer without a body has its trailers among the headers.
        string? Header(string name) =>
            response.TrailingHeaders.TryGetValues(name, out var values) || response.Headers.TryGetValues(name, out values)
                ? values.First()
                : null;
    }
}
