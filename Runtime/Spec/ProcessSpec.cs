using System.Text.Json.Serialization;

namespace ImageStore.Runtime.Spec;

/// <summary>The process that a container runs.</summary>
public sealed record ProcessSpec
{
    /// <summary>Does it get a terminal?</summary>
    [JsonPropertyName("terminal")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Terminal { get; init; }

    /// <summary>As whom it runs.</summary>
    [JsonPropertyName("user")]
    public required UserSpec User { get; init; }

    /// <summary>The program and its arguments.</summary>
    [JsonPropertyName("args")]
    public required IReadOnlyList<string> Args { get; init; }

    /// <summary>Its environment as <c>NAME=VALUE</c>.</summary>
    [JsonPropertyName("env")]
    public required IReadOnlyList<string> Env { get; init; }

    /// <summary>Its working directory, absolute.</summary>
    [JsonPropertyName("cwd")]
    public required string Cwd { get; init; }

    /// <summary>What it may do of what only root may.</summary>
    [JsonPropertyName("capabilities")]
    public required CapabilitySets Capabilities { get; init; }

    /// <summary>Its limits.</summary>
    [JsonPropertyName("rlimits")]
    public IReadOnlyList<RlimitSpec>? Rlimits { get; init; }

    /// <summary>Can it gain no rights by running a program?</summary>
    [JsonPropertyName("noNewPrivileges")]
    public bool NoNewPrivileges { get; init; }

    /// <summary>How early the kernel ends it when memory is short, from -1000 to 1000; null for as its parent.</summary>
    [JsonPropertyName("oomScoreAdj")]
    public int? OomScoreAdj { get; init; }
}

/// <summary>A user by numbers.</summary>
public sealed record UserSpec
{
    /// <summary>The user.</summary>
    [JsonPropertyName("uid")]
    public required uint Uid { get; init; }

    /// <summary>The group.</summary>
    [JsonPropertyName("gid")]
    public required uint Gid { get; init; }

    /// <summary>All groups, the first one among them.</summary>
    [JsonPropertyName("additionalGids")]
    public IReadOnlyList<uint>? AdditionalGids { get; init; }
}

/// <summary>The sets of capabilities(7) that are not empty; the inheritable and the ambient ones are, always.</summary>
public sealed record CapabilitySets
{
    /// <summary>The bounding set.</summary>
    [JsonPropertyName("bounding")]
    public required IReadOnlyList<string> Bounding { get; init; }

    /// <summary>The effective set.</summary>
    [JsonPropertyName("effective")]
    public required IReadOnlyList<string> Effective { get; init; }

    /// <summary>The permitted set.</summary>
    [JsonPropertyName("permitted")]
    public required IReadOnlyList<string> Permitted { get; init; }
}

/// <summary>A limit of setrlimit(2).</summary>
/// <param name="Type">Such as <c>RLIMIT_NOFILE</c>.</param>
/// <param name="Hard">The highest that the process may set itself; 2^64-1 for none.</param>
/// <param name="Soft">What holds.</param>
public sealed record RlimitSpec(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("hard")] ulong Hard,
    [property: JsonPropertyName("soft")] ulong Soft)
{
    /// <summary>No limit.</summary>
    public const ulong Unlimited = ulong.MaxValue;
}
