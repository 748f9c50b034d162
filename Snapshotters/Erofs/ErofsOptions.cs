namespace ImageStore.Snapshotters.Erofs;

/// <summary>What may be chosen of the EROFS snapshotter.</summary>
public sealed record ErofsOptions
{
    /// <summary>Keep the digest of each layer's image, so that a check can tell that a disk has changed it?</summary>
    public bool Digests { get; init; }
}
