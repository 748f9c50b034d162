using ImageStore.Store;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Counts what is read, for another thread than the one that reads.</summary>
internal sealed class CountedStream(Stream inner) : ReadOnlyStream
{
    private long _bytes;

    public long BytesRead => Volatile.Read(ref _bytes);

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        Volatile.Write(ref _bytes, _bytes + read);
        return read;
    }
}
