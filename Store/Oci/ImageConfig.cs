using System.Text.Json.Serialization;

namespace ImageStore.Store.Oci;

/// <summary>The part of an image configuration that the store needs: its platform and diff IDs.</summary>
/// <remarks><see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md">OCI image spec, image configuration</see>.</remarks>
public sealed record ImageConfig
{
    /// <summary>When it was made, as its builder wrote it.</summary>
    [JsonPropertyName("created")]
    public string? Created { get; init; }

    /// <summary>The architecture.</summary>
    [JsonPropertyName("architecture")]
    public string? Architecture { get; init; }

    /// <summary>The operating system.</summary>
    [JsonPropertyName("os")]
    public string? Os { get; init; }

    /// <summary>The architecture's variant.</summary>
    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    /// <summary>The layers' diff IDs.</summary>
    [JsonPropertyName("rootfs")]
    public required RootFs RootFs { get; init; }
}

/// <summary>The diff IDs of an image: digests of its layers without compression, base first.</summary>
public sealed record RootFs
{
    /// <summary>Always <c>layers</c>.</summary>
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    /// <summary>The digests, base first.</summary>
    [JsonPropertyName("diff_ids")]
    public required IReadOnlyList<Digest> DiffIds { get; init; }
}
