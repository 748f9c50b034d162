using ImageStore.Store.Oci;

namespace ImageStore.Store.Content;

/// <summary>A blob as one namespace sees it.</summary>
/// <param name="Digest">The digest of its bytes.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Labels">Its labels in this namespace.</param>
/// <param name="CreatedAt">When this namespace got it.</param>
/// <param name="UpdatedAt">When its labels changed last.</param>
public sealed record ContentInfo(
    Digest Digest,
    long Size,
    IReadOnlyDictionary<string, string> Labels,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);
