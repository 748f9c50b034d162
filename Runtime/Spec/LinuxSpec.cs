using System.Text.Json.Serialization;

namespace ImageStore.Runtime.Spec;

/// <summary>What only Linux has.</summary>
/// <remarks><see href="https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config-linux.md">OCI runtime spec, Linux</see>.</remarks>
public sealed record LinuxSpec
{
    /// <summary>Namespaces that are made.</summary>
    [JsonPropertyName("namespaces")]
    public required IReadOnlyList<NamespaceSpec> Namespaces { get; init; }

    /// <summary>Devices that are made, besides those that every container has.</summary>
    [JsonPropertyName("devices")]
    public IReadOnlyList<DeviceSpec>? Devices { get; init; }

    /// <summary>The control group, or null: the runtime calls it by the container.</summary>
    [JsonPropertyName("cgroupsPath")]
    public string? CgroupsPath { get; init; }

    /// <summary>What the container may take and touch.</summary>
    [JsonPropertyName("resources")]
    public required ResourcesSpec Resources { get; init; }

    /// <summary>Which system calls it may make; null for all.</summary>
    [JsonPropertyName("seccomp")]
    public SeccompSpec? Seccomp { get; init; }

    /// <summary>Paths that are hidden.</summary>
    [JsonPropertyName("maskedPaths")]
    public IReadOnlyList<string>? MaskedPaths { get; init; }

    /// <summary>Paths that cannot be written.</summary>
    [JsonPropertyName("readonlyPaths")]
    public IReadOnlyList<string>? ReadonlyPaths { get; init; }
}

/// <summary>A namespace that is made.</summary>
/// <param name="Type">Such as <c>pid</c>.</param>
public sealed record NamespaceSpec([property: JsonPropertyName("type")] string Type);

/// <summary>A device node.</summary>
public sealed record DeviceSpec
{
    /// <summary><c>c</c> or <c>b</c>.</summary>
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    /// <summary>Where it is within the container.</summary>
    [JsonPropertyName("path")]
    public required string Path { get; init; }

    /// <summary>Which driver.</summary>
    [JsonPropertyName("major")]
    public required long Major { get; init; }

    /// <summary>Which of the driver's devices.</summary>
    [JsonPropertyName("minor")]
    public required long Minor { get; init; }

    /// <summary>Permission bits.</summary>
    [JsonPropertyName("fileMode")]
    public uint? FileMode { get; init; }

    /// <summary>The owner.</summary>
    [JsonPropertyName("uid")]
    public uint? Uid { get; init; }

    /// <summary>The group.</summary>
    [JsonPropertyName("gid")]
    public uint? Gid { get; init; }
}
