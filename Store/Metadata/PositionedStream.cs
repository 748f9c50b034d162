namespace ImageStore.Store.Metadata;

/// <summary>A stream of whole pages, which is all that LiteDB needs; it keeps the failure that LiteDB would obscure.</summary>
internal abstract class PositionedStream : Stream
{
    protected const int PageBytes = DataPages.PageBytes;

    private Exception? _failure;

    /// <summary>What went wrong first.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => true;

    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        var (page, offset) = Math.DivRem(Position, PageBytes);
        if (Position >= Length || buffer.IsEmpty)
        {
            return 0;
        }

        if (offset != 0 || buffer.Length < PageBytes)
        {
            throw new NotSupportedException("Only whole pages are read.");
        }

        try
        {
            ReadPage(page, buffer[..PageBytes]);
        }
        catch (Exception failure)
        {
            Keep(failure);

            // LiteDB closes itself at this type alone, before it does anything else with what it could not read.
            throw new IOException(failure.Message, failure);
        }

        Position += PageBytes;
        return PageBytes;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void SetLength(long value) => throw new NotSupportedException("LiteDB moves no pages here.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    protected void Keep(Exception failure) => Interlocked.CompareExchange(ref _failure, failure, null);

    protected abstract void ReadPage(long page, Span<byte> buffer);
}
