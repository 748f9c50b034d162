using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Metadata;

/// <summary>LiteDB's data file; no page of it is written before the log that can repeat the write is durable.</summary>
internal sealed class DataFileStream(SafeFileHandle file, FramedLogStream log) : PositionedStream
{
    public override long Length => RandomAccess.GetLength(file);

    public override void SetLength(long value) => RandomAccess.SetLength(file, value);

    public override void Flush() => RandomAccess.FlushToDisk(file);

    protected override int ReadAt(Span<byte> buffer, long position) => RandomAccess.Read(file, buffer, position);

    protected override void WriteAt(ReadOnlySpan<byte> buffer, long position)
    {
        log.Sync();
        RandomAccess.Write(file, buffer, position);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
        }

        base.Dispose(disposing);
    }
}
