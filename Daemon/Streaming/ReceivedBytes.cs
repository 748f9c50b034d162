using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Streaming;

/// <summary>The bytes that a client sends over a stream, no more of them ahead than fit the window.</summary>
internal sealed class ReceivedBytes(ClientStream stream) : ReadOnlyStream
{
    private const int WindowBytes = 1 << 20;

    private ReadOnlyMemory<byte> _bytes;
    private int _window;
    private bool _ended;

    public override int Read(Span<byte> buffer) => throw new NotSupportedException("It is read without blocking.");

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_bytes.IsEmpty && !_ended && !buffer.IsEmpty)
        {
            await FillAsync(cancellationToken).ConfigureAwait(false);
        }

        var count = Math.Min(_bytes.Length, buffer.Length);
        _bytes[..count].CopyTo(buffer);
        _bytes = _bytes[count..];
        return count;
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        if (_window < WindowBytes / 2)
        {
            var update = WindowBytes - _window;
            await stream.SendAsync(new WindowUpdate { Update = update }, cancellationToken).ConfigureAwait(false);
            _window += update;
        }

        var message = await stream.ReceiveAsync(cancellationToken).ConfigureAwait(false);
        _ended = message is null;
        if (message?.TypeUrl.EndsWith(Data.Descriptor.FullName, StringComparison.Ordinal) == true)
        {
            _bytes = Data.Parser.ParseFrom(message.Value).Data_.Memory;
            _window -= _bytes.Length;
            if (_window < 0)
            {
                throw new ImageStoreException(ErrorKind.LimitExceeded, "The client sent more than the window lets it.", "Wait for updates of the window.");
            }
        }
    }
}
