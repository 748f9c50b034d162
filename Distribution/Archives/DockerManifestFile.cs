using System.Buffers;
using System.Text.Json;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>Makes the <c>manifest.json</c> by which <c>docker load</c> finds its way.</summary>
internal static class DockerManifestFile
{
    /// <summary>For a layout: null unless every image is a filesystem for one platform.</summary>
    public static byte[]? Of(
        IReadOnlyList<(Descriptor Entry, FetchedManifest Manifest)> images, IReadOnlyDictionary<Digest, FetchedManifest> manifests)
    {
        List<(Manifest Manifest, List<string> Names)> found = [];
        foreach (var group in images.GroupBy(image => image.Manifest.Descriptor.Digest))
        {
            if (Single(group.First().Manifest, manifests) is not { } manifest)
            {
                return null;
            }

            found.Add((manifest, [.. group.Select(image => LayoutNames.Of(image.Entry)).OfType<string>().Where(LayoutNames.IsFull)]));
        }

        return found.Count == 0 ? null : Write(found.Select(image => (
            OciLayoutSource.BlobFile(image.Manifest.Config.Digest),
            (IReadOnlyList<string>)image.Names,
            (IReadOnlyList<string>)[.. image.Manifest.Layers.Select(layer => OciLayoutSource.BlobFile(layer.Digest))])));
    }

    /// <summary>Writes the file.</summary>
    public static byte[] Write(IEnumerable<(string Config, IReadOnlyList<string> Names, IReadOnlyList<string> Layers)> images)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var (config, names, layers) in images)
            {
                writer.WriteStartObject();
                writer.WriteString("Config", config);
                WriteList(writer, "RepoTags", names);
                WriteList(writer, "Layers", layers);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static Manifest? Single(FetchedManifest document, IReadOnlyDictionary<Digest, FetchedManifest> manifests)
    {
        if (MediaTypes.IsIndex(document.Descriptor.MediaType))
        {
            var images = OciDocument.ParseIndex(document.Bytes, document.Descriptor.MediaType).Manifests
                .Where(entry => !ImageIndex.IsAttestation(entry) && manifests.ContainsKey(entry.Digest)).ToList();
            return images is [var only] && !MediaTypes.IsIndex(only.MediaType) ? Single(manifests[only.Digest], manifests) : null;
        }

        if (!MediaTypes.IsManifest(document.Descriptor.MediaType))
        {
            return null;
        }

        var manifest = OciDocument.ParseManifest(document.Bytes, document.Descriptor.MediaType);
        return MediaTypes.IsConfig(manifest.Config.MediaType) && manifest.Subject is null ? manifest : null;
    }

    private static void WriteList(Utf8JsonWriter writer, string name, IReadOnlyList<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }
}
