using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>What a collection did, or would do.</summary>
/// <param name="DryRun">Was it only looked at?</param>
/// <param name="Removed">What went, namespace by namespace; blobs that other namespaces see are among them, though their bytes stay.</param>
/// <param name="Kept">How many resources stay.</param>
/// <param name="FreedBytes">Bytes of files that are gone. In a dry run, of snapshots only those whose size is known.</param>
/// <param name="StrayFiles">Blobs' files that no namespace named, as crashes leave them.</param>
/// <param name="Ingests">Downloads that nobody went on with for a day.</param>
public sealed record CollectionReport(
    bool DryRun, IReadOnlyList<Resource> Removed, int Kept, long FreedBytes, int StrayFiles, int Ingests)
{
    /// <summary>How many of a kind went.</summary>
    public int Count(ResourceKind kind) => Removed.Count(resource => resource.Kind == kind);
}
