using System.Text;
using System.Text.Json;
using ImageStore.Distribution.Archives;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Tests.Support;

/// <summary>Writes small layouts, whose layers are a few bytes.</summary>
internal static class TestImages
{
    public const string Name = "registry.example/app:1";

    /// <summary>A layout in <paramref name="folder"/> with one index of the platforms, under <see cref="Name"/>.</summary>
    /// <returns>The index.</returns>
    public static Descriptor WriteIndex(string folder, params string[] platforms)
    {
        var entries = platforms.Select(platform => WriteManifest(folder, platform) with { Platform = Platform.Parse(platform) }).ToList();
        var index = Blob(folder, Json(new ImageIndex { SchemaVersion = 2, MediaType = MediaTypes.OciIndex, Manifests = entries }, OciJson.Writing.ImageIndex), MediaTypes.OciIndex);
        Finish(folder, LayoutNames.Entry(index, Name));
        return index;
    }

    /// <summary>A manifest with a layer of its own and one that all share.</summary>
    public static Descriptor WriteManifest(string folder, string flavour, Descriptor? subject = null, string? artifactType = null)
    {
        Descriptor[] layers =
        [
            Blob(folder, Encoding.UTF8.GetBytes("a layer that all share"), MediaTypes.OciLayer),
            Blob(folder, Encoding.UTF8.GetBytes($"the layer of {flavour}"), MediaTypes.OciLayer),
        ];
        var diffIds = string.Join(',', layers.Select(layer => $"\"{layer.Digest}\""));
        var manifest = new Manifest
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.OciManifest,
            ArtifactType = artifactType,
            Config = Blob(folder, Encoding.UTF8.GetBytes($$"""{"architecture":"{{flavour}}","os":"linux","rootfs":{"type":"layers","diff_ids":[{{diffIds}}]} }"""), MediaTypes.OciConfig),
            Layers = layers,
            Subject = subject,
        };
        return Blob(folder, Json(manifest, OciJson.Writing.Manifest), MediaTypes.OciManifest);
    }

    public static Descriptor Blob(string folder, byte[] bytes, string mediaType)
    {
        var digest = Digest.Compute(bytes);
        var path = Path.Combine(folder, OciLayoutSource.BlobFile(digest));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return new Descriptor { MediaType = mediaType, Digest = digest, Size = bytes.Length };
    }

    public static void Finish(string folder, params Descriptor[] entries)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, OciLayoutSource.MarkerFile), OciLayoutTarget.Marker);
        File.WriteAllBytes(Path.Combine(folder, OciLayoutSource.IndexFile), OciJsonOptions.Write(entries));
    }

    private static byte[] Json<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);
}
