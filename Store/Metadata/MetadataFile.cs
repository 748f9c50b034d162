namespace ImageStore.Store.Metadata;

/// <summary>An open file of the database, as little of it as a power cut can be modelled for.</summary>
internal abstract class MetadataFile : IDisposable
{
    public abstract long Length { get; }

    /// <summary>Reads up to the end of <paramref name="buffer"/> or of the file.</summary>
    public abstract int Read(Span<byte> buffer, long position);

    public abstract void Write(ReadOnlySpan<byte> buffer, long position);

    public abstract void SetLength(long length);

    /// <summary>Sees to room on the disk for the first <paramref name="length"/> bytes; false when it is too full.</summary>
    public abstract bool TryAllocate(long length);

    /// <summary>Makes what was written durable.</summary>
    public abstract void Sync();

    public abstract void Dispose();
}
