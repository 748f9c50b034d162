using ImageStore.Store.Oci;

namespace ImageStore.Snapshotters.Layers;

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

    /// <summary>Whiteouts that were made; some may be replaced by now.</summary>
    public IReadOnlyList<string> Whiteouts { get; init; } = [];

    /// <summary>Hard links whose target lies in a lower layer.</summary>
    public required IReadOnlyList<PendingLink> PendingLinks { get; init; }
}
