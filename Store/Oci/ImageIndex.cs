using System.Text.Json.Serialization;

namespace ImageStore.Store.Oci;

/// <summary>An image index or manifest list: manifests, one a platform, or further indexes.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md">OCI image spec, image index</see>.</remarks>
public sealed record ImageIndex
{
    private const string UnknownPlatformPart = "unknown";

    /// <summary>Always 2.</summary>
    [JsonPropertyName("schemaVersion")]
    public required int SchemaVersion { get; init; }

    /// <summary>The document's own media type, if it says so.</summary>
    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    /// <summary>The artifact's type, if it is one.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    /// <summary>The entries.</summary>
    [JsonPropertyName("manifests")]
    public required IReadOnlyList<Descriptor> Manifests { get; init; }

    /// <summary>The manifest that this index refers to.</summary>
    [JsonPropertyName("subject")]
    public Descriptor? Subject { get; init; }

    /// <summary>Free text of the image's author; never read as control.</summary>
    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>The entries that <paramref name="platform"/> can run, best first; those without a platform come last.</summary>
    /// <remarks>Attestations (<c>unknown/unknown</c>) are never offered.</remarks>
    public IReadOnlyList<Descriptor> CandidatesFor(Platform platform) =>
        [.. Manifests
            .Where(entry => !IsAttestation(entry))
            .Select((entry, position) => (entry, position, rank: entry.Platform is { } p ? platform.Rank(p) : 1))
            .Where(candidate => candidate.rank > 0)
            .OrderByDescending(candidate => candidate.rank)
            .ThenBy(candidate => candidate.position)
            .Select(candidate => candidate.entry)];

    /// <summary>Is the entry a builder's attestation and not an image?</summary>
    public static bool IsAttestation(Descriptor entry) =>
        entry.Platform is { Os: UnknownPlatformPart, Architecture: UnknownPlatformPart };
}
