namespace ImageStore.Store.Metadata;

/// <summary>LiteDB's data file: everything that was committed when it was opened. It is never written.</summary>
/// <remarks>LiteDB would mark a file in which it found an inconsistency as damaged; here the disk keeps what it has.</remarks>
internal sealed class DataStream(PageStore pages) : PositionedStream
{
    public override long Length => pages.Count * PageBytes;

    public override void Write(ReadOnlySpan<byte> buffer) => throw new NotSupportedException("The data file is not written.");

    protected override void ReadPage(long page, Span<byte> buffer) => pages.Read(page, buffer);
}
