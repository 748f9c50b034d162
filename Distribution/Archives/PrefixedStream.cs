using ImageStore.Store;

namespace ImageStore.Distribution.Archives;

/// <summary>Bytes that were read already, and then the rest.</summary>
internal sealed class PrefixedStream(ReadOnlyMemory<byte> head, Stream rest) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _head = head;
    private long _read;

    // The xz reader aligns its blocks by it.
    public override long Position { get => _read; set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer) => Count(_head.IsEmpty ? rest.Read(buffer) : FromHead(buffer));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Count(_head.IsEmpty ? await rest.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) : FromHead(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private int FromHead(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _head.Length);
        _head.Span[..count].CopyTo(buffer);
        _head = _head[count..];
        return count;
    }

    private int Count(int read)
    {
        _read += read;
        return read;
    }
}
