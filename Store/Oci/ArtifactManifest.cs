using System.Text.Json.Serialization;

namespace ImageStore.Store.Oci;

/// <summary>An artifact manifest: blobs that are no image.</summary>
/// <remarks>Image spec 1.1 dropped it before its release (1.1.0-rc2 had it); it is read, never made.</remarks>
public sealed record ArtifactManifest
{
    /// <summary>The document's own media type, which it has to say.</summary>
    [JsonPropertyName("mediaType")]
    public required string MediaType { get; init; }

    /// <summary>The artifact's type.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    /// <summary>The blobs.</summary>
    [JsonPropertyName("blobs")]
    public IReadOnlyList<Descriptor> Blobs
    {
        // The generated reader sets null where the field is not there, and no initial value outlives it.
        get => field ?? [];
        init;
    }

    /// <summary>The manifest that this one refers to.</summary>
    [JsonPropertyName("subject")]
    public Descriptor? Subject { get; init; }

    /// <summary>Free text of the artifact's author; never read as control.</summary>
    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
