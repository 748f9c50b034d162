namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>A compressed format that can be made block by block.</summary>
internal abstract class BlockFormat : IDisposable
{
    /// <summary>Bytes of content in each block but the last.</summary>
    public abstract int BlockBytes { get; }

    /// <summary>Writes what comes before the first block.</summary>
    public abstract void Begin(Stream output);

    /// <summary>Sees each block in order, on the caller's thread.</summary>
    public abstract void Look(ReadOnlySpan<byte> content);

    /// <summary>Compresses a block; several threads at once.</summary>
    public abstract void Compress(CompressedBlock block);

    /// <summary>Writes what comes after the last block.</summary>
    public abstract void End(Stream output);

    public virtual void Dispose()
    {
    }
}
