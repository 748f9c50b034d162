using System.Text.Json.Serialization;

namespace ImageStore.Runtime.Spec;

/// <summary>What a container may take and touch.</summary>
public sealed record ResourcesSpec
{
    /// <summary>Rules for devices; of several that fit the last counts.</summary>
    [JsonPropertyName("devices")]
    public required IReadOnlyList<DeviceRule> Devices { get; init; }

    /// <summary>Memory.</summary>
    [JsonPropertyName("memory")]
    public MemorySpec? Memory { get; init; }

    /// <summary>Processors.</summary>
    [JsonPropertyName("cpu")]
    public CpuSpec? Cpu { get; init; }

    /// <summary>Processes.</summary>
    [JsonPropertyName("pids")]
    public PidsSpec? Pids { get; init; }
}

/// <summary>A rule for devices; what is null fits all.</summary>
public sealed record DeviceRule
{
    /// <summary>May they be used?</summary>
    [JsonPropertyName("allow")]
    public required bool Allow { get; init; }

    /// <summary><c>c</c> or <c>b</c>.</summary>
    [JsonPropertyName("type")]
    public string? Type { get; init; }

    /// <summary>The driver.</summary>
    [JsonPropertyName("major")]
    public long? Major { get; init; }

    /// <summary>Which of its devices.</summary>
    [JsonPropertyName("minor")]
    public long? Minor { get; init; }

    /// <summary>For what: some of <c>rwm</c> (read, write, make).</summary>
    [JsonPropertyName("access")]
    public required string Access { get; init; }
}

/// <summary>A limit of memory.</summary>
/// <param name="Limit">Bytes.</param>
public sealed record MemorySpec([property: JsonPropertyName("limit")] long Limit);

/// <summary>A limit of processor time: <paramref name="Quota"/> in each <paramref name="Period"/>.</summary>
/// <param name="Quota">Microseconds.</param>
/// <param name="Period">Microseconds.</param>
public sealed record CpuSpec([property: JsonPropertyName("quota")] long Quota, [property: JsonPropertyName("period")] ulong Period);

/// <summary>A limit of processes and threads.</summary>
/// <param name="Limit">How many.</param>
public sealed record PidsSpec([property: JsonPropertyName("limit")] long Limit);
