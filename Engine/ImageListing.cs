using ImageStore.Store.Oci;

namespace ImageStore.Engine;

/// <summary>An image as a list shows it.</summary>
/// <param name="Name">The full reference.</param>
/// <param name="Target">What it names.</param>
/// <param name="Size">The bytes of it that the store had when it was pulled: manifests, configs and layers, each blob once.</param>
/// <param name="Platforms">The platforms that were pulled whole.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="CreatedAt">When the name was made.</param>
/// <param name="UpdatedAt">When its target or labels changed last.</param>
public sealed record ImageListing(
    string Name,
    Descriptor Target,
    long Size,
    IReadOnlyList<string> Platforms,
    IReadOnlyDictionary<string, string> Labels,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);
