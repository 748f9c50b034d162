using ImageStore.Store.Oci;

namespace ImageStore.Store.Images;

/// <summary>A name for a manifest or index.</summary>
/// <param name="Name">The full reference, such as <c>docker.io/library/alpine:latest</c>.</param>
/// <param name="Target">What it names.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="CreatedAt">When the name was made.</param>
/// <param name="UpdatedAt">When its target or labels changed last.</param>
/// <param name="UsedAt">When it was pulled, unpacked, mounted or read last, to within some minutes.</param>
public sealed record ImageRecord(
    string Name,
    Descriptor Target,
    IReadOnlyDictionary<string, string> Labels,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset UsedAt);
