using System.Collections.Concurrent;
using ImageStore.Distribution.Archives;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>Gathers what an archive or a target holds while it is written.</summary>
internal sealed class ContentsBuilder
{
    private readonly ConcurrentDictionary<Digest, HeldBlob> _blobs = new();
    private readonly ConcurrentDictionary<Digest, HeldBlob> _elsewhere = new();
    private readonly ConcurrentDictionary<string, Descriptor> _images = new(StringComparer.Ordinal);

    public void Hold(Descriptor blob, string repository) => _blobs.TryAdd(blob.Digest, new HeldBlob(blob.Digest, blob.Size, repository));

    public void Elsewhere(Descriptor blob, string repository) =>
        _elsewhere.TryAdd(blob.Digest, new HeldBlob(blob.Digest, blob.Size, repository));

    public void Name(string name, Descriptor target) => _images[name] = LayoutNames.Bare(target);

    // Sorted, so that the same contents are the same bytes whatever the order in which they came.
    public ArchiveContents Build() => new()
    {
        Version = ArchiveContents.CurrentVersion,
        Images = [.. _images.OrderBy(image => image.Key, StringComparer.Ordinal).Select(image => new NamedImage(image.Key, image.Value))],
        Blobs = Sorted(_blobs.Values),
        Elsewhere = Sorted(_elsewhere.Values.Where(blob => !_blobs.ContainsKey(blob.Digest))),
    };

    private static IReadOnlyList<HeldBlob> Sorted(IEnumerable<HeldBlob> blobs) =>
        [.. blobs.OrderBy(blob => blob.Digest.ToString(), StringComparer.Ordinal)];
}
