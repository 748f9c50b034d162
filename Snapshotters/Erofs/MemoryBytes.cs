using ImageStore.Snapshotters.Erofs.Image;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Bytes that are in memory already.</summary>
internal sealed class MemoryBytes(ReadOnlyMemory<byte> bytes) : IFileBytes
{
    private ReadOnlyMemory<byte> _left = bytes;

    public ReadOnlySpan<byte> Take(long max)
    {
        var part = _left.Span[..(int)Math.Min(max, _left.Length)];
        _left = _left[part.Length..];
        return part;
    }
}
