using System.Collections.Concurrent;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>Remembers which repositories have a blob, so that one upload serves a whole run of copies.</summary>
public sealed class BlobLocations
{
    private readonly ConcurrentDictionary<(Digest, string Registry), IImageSource> _known = new();

    internal void Add(Descriptor blob, string registry, IImageSource place) => _known[(blob.Digest, registry)] = place;

    internal IImageSource? Find(Descriptor blob, string registry) => _known.GetValueOrDefault((blob.Digest, registry));
}
