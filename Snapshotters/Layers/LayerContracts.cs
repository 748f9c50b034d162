using ImageStore.Store.Oci;

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

    /// <summary>Bytes of one extended attribute's value.</summary>
    public int MaxXattrBytes { get; init; } = 65536;
}

/// <summary>The overlay form's variant.</summary>
/// <param name="OpaqueXattrName"><c>trusted.overlay.opaque</c> or <c>user.overlay.opaque</c>.</param>
public sealed record LayerFormat(string OpaqueXattrName)
{
    internal byte[] OpaqueXattr => System.Text.Encoding.ASCII.GetBytes(OpaqueXattrName + "\0");
}

/// <summary>What applying told, and what <see cref="LayerSettler"/> still has to do. Paths are bytes in Latin-1.</summary>
public sealed record AppliedLayer
{
    /// <summary>Entries applied.</summary>
    public required long Entries { get; init; }

    /// <summary>Bytes in files.</summary>
    public required long UnpackedBytes { get; init; }

    /// <summary>The digest of the whole uncompressed stream.</summary>
    public required Digest DiffId { get; init; }

    /// <summary>Directories that the layer needs but has no entry for; parents first, the root as an empty path.</summary>
    public required IReadOnlyList<string> ImpliedDirectories { get; init; }

    /// <summary>Hard links whose target lies in a lower layer: link path, target path.</summary>
    public required IReadOnlyList<(string Link, string Target)> PendingLinks { get; init; }
}
