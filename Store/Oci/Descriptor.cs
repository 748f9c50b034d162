using System.Text.Json.Serialization;

namespace ImageStore.Store.Oci;

/// <summary>What a manifest says of a blob: its type, digest and size in bytes.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md">OCI image spec, descriptor</see>.</remarks>
public sealed record Descriptor
{
    /// <summary>The media type.</summary>
    [JsonPropertyName("mediaType")]
    public required string MediaType { get; init; }

    /// <summary>The digest of the bytes.</summary>
    [JsonPropertyName("digest")]
    public required Digest Digest { get; init; }

    /// <summary>The number of bytes, never negative.</summary>
    [JsonPropertyName("size")]
    public required long Size { get; init; }

    /// <summary>Where else the blob may be; only non-distributable layers have them.</summary>
    [JsonPropertyName("urls")]
    public IReadOnlyList<string>? Urls { get; init; }

    /// <summary>Free text of the image's author; never read as control.</summary>
    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>The blob itself, when it is small.</summary>
    [JsonPropertyName("data")]
    public byte[]? Data { get; init; }

    /// <summary>What the manifest runs on; in an index only.</summary>
    [JsonPropertyName("platform")]
    public Platform? Platform { get; init; }

    /// <summary>The type of the artifact that the manifest holds.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    /// <summary>Do both name the same bytes? Collections compare by reference, so records do not tell.</summary>
    public bool SameContent(Descriptor other) =>
        MediaType == other.MediaType && Digest == other.Digest && Size == other.Size;
}
