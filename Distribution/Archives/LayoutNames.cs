using ImageStore.Distribution.Registry;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>How images are named in a layout's index: the tag in OCI's annotation, the full reference in containerd's.</summary>
internal static class LayoutNames
{
    private const string FullName = "io.containerd.image.name";
    private const string RefName = "org.opencontainers.image.ref.name";

    /// <summary>The fullest name that the entry has; null when it has none.</summary>
    public static string? Of(Descriptor entry) =>
        entry.Annotations?.GetValueOrDefault(FullName) ?? entry.Annotations?.GetValueOrDefault(RefName);

    /// <summary>The entry without what is the index's own.</summary>
    public static Descriptor Bare(Descriptor entry) =>
        new() { MediaType = entry.MediaType, Digest = entry.Digest, Size = entry.Size, ArtifactType = entry.ArtifactType };

    /// <summary>The entry for <paramref name="manifest"/> under <paramref name="name"/>: a tag, a full reference, or nothing.</summary>
    public static Descriptor Entry(Descriptor manifest, string name)
    {
        if (name.Length == 0)
        {
            return Bare(manifest);
        }

        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal) { [RefName] = name };
        if (IsFull(name))
        {
            var reference = ImageReference.Parse(name);
            annotations[FullName] = reference.Canonical;
            annotations[RefName] = reference.Tag ?? reference.Canonical;
        }

        return Bare(manifest) with { Annotations = annotations };
    }

    /// <summary>Is it a whole reference and not a tag alone?</summary>
    public static bool IsFull(string name) => name.AsSpan().IndexOfAny('/', ':') >= 0;

    /// <summary>Do both entries claim the same name?</summary>
    public static bool SameName(Descriptor left, Descriptor right) =>
        Of(left) is { } name ? name == Of(right) : Of(right) is null && left.Digest == right.Digest;
}
