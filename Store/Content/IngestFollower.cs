using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Content;

/// <summary>Reads an ingest from its start while it is being written, and ends where the writer ends.</summary>
/// <remarks>
/// A layer unpacks from here while it downloads. The bytes come out of the page cache, so a slow unpack never
/// holds up the network and never costs memory. Reads block: give it a thread of its own.
/// </remarks>
internal sealed class IngestFollower(SafeFileHandle file, IngestProgress progress, CancellationToken cancellationToken)
    : Stream
{
    private long _position;
    private long _available;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_available == _position)
        {
            _available = progress.WaitBeyond(_position, cancellationToken);
        }

        var count = RandomAccess.Read(file, buffer[..(int)Math.Min(buffer.Length, _available - _position)], _position);
        _position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
        }

        base.Dispose(disposing);
    }
}
