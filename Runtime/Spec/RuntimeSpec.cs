using System.Text.Json.Serialization;

namespace ImageStore.Runtime.Spec;

/// <summary>A container's configuration, as far as we write it: the <c>config.json</c> of a bundle.</summary>
/// <remarks><see href="https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config.md">OCI runtime spec, configuration</see>.</remarks>
public sealed record RuntimeSpec
{
    /// <summary>The version that everything here is in.</summary>
    public const string Version = "1.0.2";

    /// <summary>The specification's version.</summary>
    [JsonPropertyName("ociVersion")]
    public string OciVersion { get; init; } = Version;

    /// <summary>What runs.</summary>
    [JsonPropertyName("process")]
    public required ProcessSpec Process { get; init; }

    /// <summary>The root filesystem.</summary>
    [JsonPropertyName("root")]
    public required RootSpec Root { get; init; }

    /// <summary>The host's name within, or null for the host's own.</summary>
    [JsonPropertyName("hostname")]
    public string? Hostname { get; init; }

    /// <summary>Mounts, in their order.</summary>
    [JsonPropertyName("mounts")]
    public required IReadOnlyList<MountSpec> Mounts { get; init; }

    /// <summary>What others may know of it; by name.</summary>
    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>What only Linux has.</summary>
    [JsonPropertyName("linux")]
    public required LinuxSpec Linux { get; init; }
}

/// <summary>The root filesystem.</summary>
public sealed record RootSpec
{
    /// <summary>Where it is, from the bundle's directory.</summary>
    [JsonPropertyName("path")]
    public required string Path { get; init; }

    /// <summary>Can nothing be written to it?</summary>
    [JsonPropertyName("readonly")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Readonly { get; init; }
}

/// <summary>One mount.</summary>
public sealed record MountSpec
{
    /// <summary>Where to within the container, absolute.</summary>
    [JsonPropertyName("destination")]
    public required string Destination { get; init; }

    /// <summary>The filesystem's type, such as <c>proc</c> or <c>bind</c>.</summary>
    [JsonPropertyName("type")]
    public string? Type { get; init; }

    /// <summary>What is mounted: a path of the host, or a name.</summary>
    [JsonPropertyName("source")]
    public string? Source { get; init; }

    /// <summary>In the words of mount(8).</summary>
    [JsonPropertyName("options")]
    public IReadOnlyList<string>? Options { get; init; }
}
