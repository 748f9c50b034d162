using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Protocol.StreamingV1;
using ImageStore.Daemon.Protocol.Transfers;

namespace ImageStore.Daemon.Tests.Support;

/// <summary>A stream beside calls, as containerd's client opens it.</summary>
internal sealed class OpenStream : IDisposable
{
    private readonly AsyncDuplexStreamingCall<Any, Any> _call;

    private OpenStream(string id, AsyncDuplexStreamingCall<Any, Any> call) => (Id, _call) = (id, call);

    public string Id { get; }

    public static Task<OpenStream> OpenAsync(RunningDaemon daemon, string id, Metadata headers) => OpenAsync(daemon.Channel, id, headers);

    public static async Task<OpenStream> OpenAsync(ChannelBase channel, string id, Metadata headers)
    {
        var stream = new OpenStream(id, new Protocol.StreamingV1.Streaming.StreamingClient(channel).Stream(headers));
        await stream.SendAsync(new StreamInit { Id = id });
        Assert.Equal(Empty.Descriptor.FullName, (await stream.NextAsync())?.TypeUrl);
        return stream;
    }

    public static Any Pack(IMessage message) => new() { TypeUrl = message.Descriptor.FullName, Value = message.ToByteString() };

    public Task SendAsync(IMessage message) => _call.RequestStream.WriteAsync(Pack(message));

    public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

    /// <summary>The next message, or null at the end.</summary>
    public async Task<Any?> NextAsync() =>
        await _call.ResponseStream.MoveNext(TestContext.Current.CancellationToken) ? _call.ResponseStream.Current : null;

    /// <summary>All that is left of it.</summary>
    public async Task<List<Progress>> ProgressAsync()
    {
        List<Progress> told = [];
        while (await NextAsync() is { } message)
        {
            Assert.Equal("containerd.types.transfer.Progress", message.TypeUrl);
            told.Add(Progress.Parser.ParseFrom(message.Value));
        }

        return told;
    }

    /// <summary>Sends bytes as the windows let it, and says that there are no more.</summary>
    public async Task SendAllAsync(ReadOnlyMemory<byte> bytes)
    {
        for (var window = 0; !bytes.IsEmpty;)
        {
            while (window == 0)
            {
                window += WindowUpdate.Parser.ParseFrom((await NextAsync())!.Value).Update;
            }

            var count = Math.Min(Math.Min(window, 32 * 1024), bytes.Length);
            await SendAsync(new Data { Data_ = ByteString.CopyFrom(bytes.Span[..count]) });
            (window, bytes) = (window - count, bytes[count..]);
        }

        await CompleteAsync();
    }

    /// <summary>Reads bytes to the end, and never lets more come at once than the window.</summary>
    public async Task<byte[]> ReadAllAsync(int window)
    {
        using var all = new MemoryStream();
        await SendAsync(new WindowUpdate { Update = window });
        var open = window;
        while (await NextAsync() is { } message)
        {
            var bytes = Data.Parser.ParseFrom(message.Value).Data_.ToByteArray();
            Assert.InRange(bytes.Length, 1, open);
            all.Write(bytes);
            open -= bytes.Length;
            if (open == 0)
            {
                await SendAsync(new WindowUpdate { Update = open = window });
            }
        }

        return all.ToArray();
    }

    public void Dispose() => _call.Dispose();
}
