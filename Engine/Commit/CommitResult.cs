using ImageStore.Store.Oci;

namespace ImageStore.Engine.Commit;

/// <summary>An image that was made.</summary>
/// <param name="Name">Its full name.</param>
/// <param name="Target">Its manifest.</param>
/// <param name="Layer">The new layer.</param>
/// <param name="DiffId">The digest of the layer without compression.</param>
/// <param name="Entries">Entries of the layer.</param>
/// <param name="Base">The name of the image that it stands on, where that is known.</param>
public sealed record CommitResult(string Name, Descriptor Target, Descriptor Layer, Digest DiffId, long Entries, string? Base);
