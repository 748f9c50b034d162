using ImageStore.Store.Oci;

namespace ImageStore.Store.Images;

/// <summary>An image; the key is <c>namespace/name</c>.</summary>
/// <param name="Target">What it names.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="CreatedAt">When the name was made.</param>
/// <param name="UpdatedAt">When its target or labels changed last.</param>
/// <param name="UsedAt">When it was pulled, unpacked, mounted or read last, to within some minutes.</param>
internal sealed record ImageRow(
    Descriptor Target, Dictionary<string, string> Labels, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? UsedAt = null);
