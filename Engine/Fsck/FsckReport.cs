using ImageStore.Store.Metadata;

namespace ImageStore.Engine.Fsck;

/// <summary>What a check of a root found.</summary>
/// <param name="Rows">Rows of metadata.</param>
/// <param name="Blobs">Files of blobs.</param>
/// <param name="VerifiedBlobs">Those whose bytes were read.</param>
/// <param name="VerifiedBytes">Their bytes.</param>
/// <param name="IsComplete">Were all read? Else <c>--resume</c> goes on.</param>
/// <param name="Images">Images.</param>
/// <param name="Snapshots">Snapshots.</param>
/// <param name="Findings">What is out of order.</param>
/// <param name="Rebuilt">What became of a damaged database; null when it was whole.</param>
public sealed record FsckReport(
    long Rows,
    int Blobs,
    int VerifiedBlobs,
    long VerifiedBytes,
    bool IsComplete,
    int Images,
    int Snapshots,
    IReadOnlyList<Finding> Findings,
    RebuildReport? Rebuilt)
{
    /// <summary>Damage that is still there.</summary>
    public int Damage => Findings.Count(finding => finding is { IsDamage: true, Repair: null });
}
