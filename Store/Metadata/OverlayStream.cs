namespace ImageStore.Store.Metadata;

/// <summary>A file that looks writable to LiteDB while nothing reaches the disk: for readers beside a writer.</summary>
internal sealed class OverlayStream(PositionedStream lower) : PositionedStream
{
    private const int PageBytes = FramedLogStream.PageBytes;

    private readonly Dictionary<long, byte[]> _pages = [];
    private long _length = lower.Length;

    public override long Length => _length;

    public override void SetLength(long value) => _length = value;

    public override void Flush()
    {
    }

    protected override int ReadAt(Span<byte> buffer, long position)
    {
        var (page, offset) = Math.DivRem(position, PageBytes);
        var count = (int)Math.Min(Math.Min(buffer.Length, PageBytes - offset), Math.Max(0, _length - position));
        if (count > 0 && _pages.TryGetValue(page, out var changed))
        {
            changed.AsSpan((int)offset, count).CopyTo(buffer);
            return count;
        }

        lower.Position = position;
        return lower.Read(buffer[..count]);
    }

    protected override void WriteAt(ReadOnlySpan<byte> buffer, long position)
    {
        if (buffer.Length != PageBytes || position % PageBytes != 0)
        {
            throw new NotSupportedException("Only whole pages are written.");
        }

        _pages[position / PageBytes] = buffer.ToArray();
        _length = Math.Max(_length, position + PageBytes);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            lower.Dispose();
        }

        base.Dispose(disposing);
    }
}
