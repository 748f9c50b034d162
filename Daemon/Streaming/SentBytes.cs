using Google.Protobuf;
using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Streaming;

/// <summary>Bytes that a client gets over a stream, as many at a time as its window has room for.</summary>
internal sealed class SentBytes(ClientStream stream) : WriteOnlyStream
{
    private const int MaxChunkBytes = 256 << 10;

    private int _window;

    public override void Write(ReadOnlySpan<byte> buffer) => throw new NotSupportedException("It is written without blocking.");

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            while (_window <= 0)
            {
                _window += await MoreAsync(cancellationToken).ConfigureAwait(false);
            }

            var count = Math.Min(Math.Min(_window, MaxChunkBytes), buffer.Length);
            await stream.SendAsync(new Data { Data_ = ByteString.CopyFrom(buffer.Span[..count]) }, cancellationToken).ConfigureAwait(false);
            _window -= count;
            buffer = buffer[count..];
        }
    }

    private async Task<int> MoreAsync(CancellationToken cancellationToken)
    {
        var message = await stream.ReceiveAsync(cancellationToken).ConfigureAwait(false)
            ?? throw new ImageStoreException(ErrorKind.Unavailable, "The client has ended its stream before it had all.");
        return message.TypeUrl.EndsWith(WindowUpdate.Descriptor.FullName, StringComparison.Ordinal)
            ? Math.Max(0, WindowUpdate.Parser.ParseFrom(message.Value).Update)
            : 0;
    }
}
