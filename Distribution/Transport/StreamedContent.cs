using System.Buffers;
using System.Net;

namespace ImageStore.Distribution.Transport;

/// <summary>Sends a body of known length, and calls out at each step so that a deadline can be moved and a rate be kept.</summary>
internal sealed class StreamedContent : HttpContent
{
    private const int BufferBytes = 64 * 1024;

    private readonly RequestBody _body;
    private readonly Func<int, ValueTask> _moved;

    public StreamedContent(RequestBody body, Func<int, ValueTask> moved)
    {
        (_body, _moved) = (body, moved);
        Headers.TryAddWithoutValidation("Content-Type", body.MediaType);
        if (body.ContentRange is not null)
        {
            Headers.TryAddWithoutValidation("Content-Range", body.ContentRange);
        }
    }

    /// <summary>What reading the bytes to send failed with: no fault of the host that they went to.</summary>
    public Exception? SourceFailure { get; private set; }

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var source = await GuardAsync(() => _body.Open(cancellationToken)).ConfigureAwait(false);
            await using var opened = source.ConfigureAwait(false);
            for (var left = _body.Length; left > 0;)
            {
                var most = (int)Math.Min(left, buffer.Length);
                var count = await GuardAsync(() => ReadAsync(source, buffer.AsMemory(0, most), cancellationToken)).ConfigureAwait(false);
                await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                left -= count;
                await _moved(count).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<int> ReadAsync(Stream source, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        return count > 0 ? count : throw new EndOfStreamException("The bytes to send end early.");
    }

    private async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            SourceFailure = failure;
            throw;
        }
    }
}
