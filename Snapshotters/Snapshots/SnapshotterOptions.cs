using ImageStore.Snapshotters.Erofs;
using ImageStore.Snapshotters.Overlay;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>What may be chosen of the snapshotters.</summary>
public sealed record SnapshotterOptions
{
    /// <summary>How overlays are mounted.</summary>
    public OverlayOptions Overlay { get; init; } = new();

    /// <summary>How EROFS images are kept.</summary>
    public ErofsOptions Erofs { get; init; } = new();
}
