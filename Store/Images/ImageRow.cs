using ImageStore.Store.Oci;

namespace ImageStore.Store.Images;

/// <summary>An image; the key is <c>namespace/name</c>.</summary>
internal sealed record ImageRow(
    Descriptor Target, Dictionary<string, string> Labels, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
