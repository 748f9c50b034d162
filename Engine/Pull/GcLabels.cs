using System.Globalization;
using ImageStore.Store;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Pull;

/// <summary>The labels by which containerd's collector, and ours, goes from a blob to what it needs.</summary>
internal static class GcLabels
{
    private const int MaxSourceBytes = Labels.MaxBytes;

    public static Dictionary<string, string> OfManifest(Manifest manifest)
    {
        var labels = Numbered("l.", manifest.Layers);
        labels[Labels.RefContentPrefix + "config"] = manifest.Config.Digest.ToString();
        return labels;
    }

    public static Dictionary<string, string> OfIndex(ImageIndex index) => Numbered("m.", index.Manifests);

    /// <summary>Those of any document.</summary>
    public static Dictionary<string, string> OfDocument(ReadOnlyMemory<byte> bytes, string mediaType, DocumentLinks links) =>
        MediaTypes.IsIndex(mediaType) ? Numbered("m.", links.Manifests)
        : MediaTypes.IsManifest(mediaType) ? OfManifest(OciDocument.ParseManifest(bytes, mediaType))
        : Numbered("l.", links.Blobs);

    /// <summary>Remembers that <paramref name="repository"/> of <paramref name="host"/> had the blob, next to those known before.</summary>
    public static void AddSource(Dictionary<string, string> labels, string host, string repository, string? known)
    {
        var all = (known ?? string.Empty).Split(',', StringSplitOptions.RemoveEmptyEntries);
        var key = Labels.SourcePrefix + host;
        var value = all.Contains(repository, StringComparer.Ordinal) ? known! : string.Join(',', all.Append(repository));
        labels[key] = key.Length + value.Length <= MaxSourceBytes ? value : repository;
    }

    private static Dictionary<string, string> Numbered(string prefix, IReadOnlyList<Descriptor> children)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < children.Count; i++)
        {
            labels[string.Create(CultureInfo.InvariantCulture, $"{Labels.RefContentPrefix}{prefix}{i}")] =
                children[i].Digest.ToString();
        }

        return labels;
    }
}
