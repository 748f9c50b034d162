namespace ImageStore.Snapshotters.Layers;

/// <summary>What one layer may cost; a layer beyond is refused.</summary>
public sealed record LayerLimits
{
    /// <summary>Entries in the tar.</summary>
    public long MaxEntries { get; init; } = 5_000_000;

    /// <summary>Bytes of the uncompressed stream.</summary>
    public long MaxUnpackedBytes { get; init; } = 1L << 40;

    /// <summary>Bytes of one path.</summary>
    public int MaxPathBytes { get; init; } = 4095;

    /// <summary>Components of one path.</summary>
    public int MaxDepth { get; init; } = 256;

    /// <summary>Bytes of PAX and GNU headers before one entry.</summary>
    public int MaxHeaderBytes { get; init; } = 1 << 20;

    /// <summary>Records of global PAX headers that hold at one time.</summary>
    public int MaxGlobalRecords { get; init; } = 256;

    /// <summary>Bytes of one extended attribute's value.</summary>
    public int MaxXattrBytes { get; init; } = 65536;

    /// <summary>Segments with data in one sparse file.</summary>
    public int MaxSparseSegments { get; init; } = 1 << 17;
}
