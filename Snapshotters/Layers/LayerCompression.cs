namespace ImageStore.Snapshotters.Layers;

/// <summary>How a layer's tar is compressed.</summary>
public enum LayerCompression
{
    /// <summary>A plain tar.</summary>
    None,

    /// <summary>gzip, one member or more.</summary>
    Gzip,

    /// <summary>Zstandard frames.</summary>
    Zstd,
}
