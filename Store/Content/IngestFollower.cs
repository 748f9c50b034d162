using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Content;

/// <summary>Reads an ingest from its start while it is being written, and ends where the writer ends.</summary>
/// <remarks>
/// A layer unpacks from here while it downloads. The bytes come out of the page cache, so a slow unpack never
/// holds up the network and never costs memory. Reads block: give it a thread of its own.
/// </remarks>
internal sealed class IngestFollower(SafeFileHandle file, IngestProgress progress, CancellationToken cancellationToken)
    : ReadOnlyStream
{
    private long _position;
    private long _available;

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

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
        }

        base.Dispose(disposing);
    }
}
