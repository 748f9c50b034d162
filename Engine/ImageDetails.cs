using ImageStore.Store.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Engine;

/// <summary>All that the store knows of an image.</summary>
/// <param name="Image">Its name and target.</param>
/// <param name="Manifests">The manifests below it that the store has.</param>
public sealed record ImageDetails(ImageRecord Image, IReadOnlyList<ManifestDetails> Manifests);

/// <summary>One manifest of an image.</summary>
/// <param name="Descriptor">What names it.</param>
/// <param name="Platform">What it runs on, when it says so.</param>
/// <param name="Config">Its config's descriptor.</param>
/// <param name="Layers">Its layers, base first.</param>
/// <param name="Complete">Does the store have all of it?</param>
/// <param name="ChainId">The chain ID, when the config is there and is an image's.</param>
/// <param name="Created">When it was built, as its builder wrote it.</param>
public sealed record ManifestDetails(
    Descriptor Descriptor,
    string? Platform,
    Descriptor Config,
    IReadOnlyList<Descriptor> Layers,
    bool Complete,
    Digest? ChainId,
    string? Created);
