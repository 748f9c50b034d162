using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Oci;

/// <summary>Reads manifests, indexes and configurations, and rejects what has two readings.</summary>
/// <remarks>Media type, the body's own type and its members must agree (CVE-2021-41190).</remarks>
public static class OciDocument
{
    /// <summary>Reads an image manifest of type <paramref name="mediaType"/>.</summary>
    /// <exception cref="ImageStoreException">It is malformed or ambiguous (<see cref="ErrorKind.CorruptData"/>), or
    /// over a limit (<see cref="ErrorKind.LimitExceeded"/>).</exception>
    public static Manifest ParseManifest(ReadOnlyMemory<byte> bytes, string mediaType)
    {
        CheckShape(bytes, mediaType, forbidden: "manifests");
        var manifest = Parse(bytes, OciJson.Default.Manifest, "manifest", OciLimits.MaxManifestBytes);
        CheckVersion(manifest.SchemaVersion, "manifest");
        CheckType(manifest.MediaType, mediaType, "manifest");
        CheckCount(manifest.Layers.Count, OciLimits.MaxLayers, "manifest", "layers");
        CheckDescriptor(manifest.Config, "manifest");
        CheckDescriptors(manifest.Layers, "manifest");
        return manifest;
    }

    /// <summary>Reads an index or manifest list of type <paramref name="mediaType"/>.</summary>
    /// <exception cref="ImageStoreException">As for <see cref="ParseManifest"/>.</exception>
    public static ImageIndex ParseIndex(ReadOnlyMemory<byte> bytes, string mediaType)
    {
        CheckShape(bytes, mediaType, forbidden: "layers");
        var index = Parse(bytes, OciJson.Default.ImageIndex, "index", OciLimits.MaxManifestBytes);
        CheckVersion(index.SchemaVersion, "index");
        CheckType(index.MediaType, mediaType, "index");
        CheckCount(index.Manifests.Count, OciLimits.MaxIndexEntries, "index", "entries");
        CheckDescriptors(index.Manifests, "index");
        return index;
    }

    /// <summary>Reads an artifact manifest.</summary>
    /// <exception cref="ImageStoreException">As for <see cref="ParseManifest"/>.</exception>
    public static ArtifactManifest ParseArtifact(ReadOnlyMemory<byte> bytes)
    {
        CheckShape(bytes, MediaTypes.OciArtifactManifest, forbidden: "manifests");
        var artifact = Parse(bytes, OciJson.Default.ArtifactManifest, "artifact manifest", OciLimits.MaxManifestBytes);
        CheckType(artifact.MediaType, MediaTypes.OciArtifactManifest, "artifact manifest");
        CheckCount(artifact.Blobs.Count, OciLimits.MaxLayers, "artifact manifest", "blobs");
        CheckDescriptors(artifact.Blobs, "artifact manifest");
        return artifact;
    }

    /// <summary>Reads an image configuration whose diff IDs must be as many as <paramref name="layers"/>.</summary>
    /// <exception cref="ImageStoreException">As for <see cref="ParseManifest"/>.</exception>
    public static ImageConfig ParseConfig(ReadOnlyMemory<byte> bytes, int layers)
    {
        var config = Parse(bytes, OciJson.Default.ImageConfig, "image config", OciLimits.MaxConfigBytes);
        if (config.RootFs.Type != "layers" || config.RootFs.DiffIds.Count != layers)
        {
            throw Corrupt($"The image config has {config.RootFs.DiffIds.Count} diff IDs but the manifest {layers} layers.");
        }

        return config;
    }

    /// <summary>The media type that the document itself claims, or null.</summary>
    /// <exception cref="ImageStoreException">It is not JSON (<see cref="ErrorKind.CorruptData"/>).</exception>
    public static string? DeclaredMediaType(ReadOnlyMemory<byte> bytes)
    {
        using var document = Open(bytes, "manifest");
        return document.RootElement.ValueKind == JsonValueKind.Object
            && document.RootElement.TryGetProperty("mediaType", out var type)
            && type.ValueKind == JsonValueKind.String
                ? type.GetString()
                : null;
    }

    private static void CheckShape(ReadOnlyMemory<byte> bytes, string mediaType, string forbidden)
    {
        using var document = Open(bytes, "manifest");
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw Corrupt("The manifest is not a JSON object.");
        }

        if (document.RootElement.TryGetProperty(forbidden, out _))
        {
            throw Corrupt($"The document is served as {Printable.Of(mediaType)} but has the member '{forbidden}', so it has two readings.");
        }
    }

    private static JsonDocument Open(ReadOnlyMemory<byte> bytes, string what)
    {
        try
        {
            return JsonDocument.Parse(bytes, new JsonDocumentOptions
            {
                MaxDepth = OciLimits.MaxJsonDepth,
                AllowDuplicateProperties = false,
            });
        }
        catch (JsonException failure)
        {
            throw Malformed(what, failure);
        }
    }

    private static T Parse<T>(ReadOnlyMemory<byte> bytes, JsonTypeInfo<T> type, string what, int limit)
        where T : class
    {
        if (bytes.Length > limit)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded, $"The {what} has {bytes.Length} bytes; the limit is {limit}.");
        }

        try
        {
            return JsonSerializer.Deserialize(bytes.Span, type) ?? throw Corrupt($"The {what} is null.");
        }
        catch (JsonException failure)
        {
            throw Malformed(what, failure);
        }
    }

    private static void CheckVersion(int version, string what)
    {
        if (version != 2)
        {
            throw Corrupt($"The {what} has schemaVersion {version}; only 2 is known.");
        }
    }

    private static void CheckType(string? declared, string mediaType, string what)
    {
        if (declared is not null && declared != mediaType)
        {
            throw Corrupt($"The {what} is served as {Printable.Of(mediaType)} but calls itself {Printable.Of(declared)}.");
        }
    }

    private static void CheckCount(int count, int limit, string what, string members)
    {
        if (count > limit)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded, $"The {what} has {count} {members}; the limit is {limit}.");
        }
    }

    private static void CheckDescriptors(IReadOnlyList<Descriptor> descriptors, string what)
    {
        foreach (var descriptor in descriptors)
        {
            CheckDescriptor(descriptor, what);
        }
    }

    private static void CheckDescriptor(Descriptor? descriptor, string what)
    {
        if (descriptor is null || descriptor.Size is < 0 or > OciLimits.MaxBlobBytes)
        {
            throw Corrupt($"The {what} has a descriptor that is null or whose size is out of range.");
        }
    }

    private static ImageStoreException Malformed(string what, JsonException failure) =>
        Corrupt($"The {what} is malformed: {Printable.Of(failure.Message)}", failure);

    private static ImageStoreException Corrupt(string message, Exception? inner = null) =>
        new(ErrorKind.CorruptData, message, "The image itself is at fault: ask its publisher, or pull another tag.", inner);
}
