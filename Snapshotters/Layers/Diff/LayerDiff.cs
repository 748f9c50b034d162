using ImageStore.Store.Oci;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>What was written as a layer.</summary>
/// <param name="DiffId">The digest of the tar without compression.</param>
/// <param name="Entries">Its entries, whiteouts among them.</param>
/// <param name="TarBytes">Bytes of the tar without compression.</param>
public sealed record LayerDiff(Digest DiffId, long Entries, long TarBytes);
