using ImageStore.Distribution.Registry;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>All that one image is made of, in the order in which it is written.</summary>
/// <param name="Source">What the name pointed at.</param>
/// <param name="Target">What it will point at.</param>
/// <param name="Documents">Manifests and indexes: each after those that it refers to, referrers after their subject.</param>
internal sealed record CopyPlan(Descriptor Source, Descriptor Target, IReadOnlyList<PlannedDocument> Documents)
{
    /// <summary>The blobs, each once, in the order of the documents.</summary>
    public IEnumerable<Descriptor> Blobs => Documents.SelectMany(document => document.Blobs).DistinctBy(blob => blob.Digest);
}

/// <summary>A manifest or index that is to be written.</summary>
/// <param name="Manifest">Its exact bytes.</param>
/// <param name="Blobs">What has to be there before it.</param>
/// <param name="Tag">A tag that goes with it besides the image's own, as cosign's have.</param>
internal sealed record PlannedDocument(FetchedManifest Manifest, IReadOnlyList<Descriptor> Blobs, string? Tag = null);
