using System.Text.Json.Serialization;

namespace ImageStore.Runtime.Spec;

/// <summary>Which system calls a container may make.</summary>
/// <remarks><see href="https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config-linux.md#seccomp">OCI runtime spec, seccomp</see>.</remarks>
public sealed record SeccompSpec
{
    /// <summary>What becomes of a call that no rule fits, such as <c>SCMP_ACT_ERRNO</c>.</summary>
    [JsonPropertyName("defaultAction")]
    public required string DefaultAction { get; init; }

    /// <summary>The error number that such a call gets; null for EPERM.</summary>
    [JsonPropertyName("defaultErrnoRet")]
    public uint? DefaultErrnoRet { get; init; }

    /// <summary>Whose calls are meant, such as <c>SCMP_ARCH_X86_64</c>.</summary>
    [JsonPropertyName("architectures")]
    public IReadOnlyList<string>? Architectures { get; init; }

    /// <summary>Flags of seccomp(2).</summary>
    [JsonPropertyName("flags")]
    public IReadOnlyList<string>? Flags { get; init; }

    /// <summary>A socket that is told of calls with the action <c>SCMP_ACT_NOTIFY</c>.</summary>
    [JsonPropertyName("listenerPath")]
    public string? ListenerPath { get; init; }

    /// <summary>What that socket gets along.</summary>
    [JsonPropertyName("listenerMetadata")]
    public string? ListenerMetadata { get; init; }

    /// <summary>The rules.</summary>
    [JsonPropertyName("syscalls")]
    public IReadOnlyList<SeccompRule>? Syscalls { get; init; }
}

/// <summary>What becomes of some calls.</summary>
public sealed record SeccompRule
{
    /// <summary>The calls' names.</summary>
    [JsonPropertyName("names")]
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>Such as <c>SCMP_ACT_ALLOW</c>.</summary>
    [JsonPropertyName("action")]
    public required string Action { get; init; }

    /// <summary>The error number, where the action is one.</summary>
    [JsonPropertyName("errnoRet")]
    public uint? ErrnoRet { get; init; }

    /// <summary>What their arguments have to be.</summary>
    [JsonPropertyName("args")]
    public IReadOnlyList<SeccompArgument>? Args { get; init; }
}

/// <summary>What an argument has to be.</summary>
/// <param name="Index">Which one, from 0 to 5.</param>
/// <param name="Value">What it is compared with, or its mask.</param>
/// <param name="ValueTwo">What is left under the mask of <c>SCMP_CMP_MASKED_EQ</c>.</param>
/// <param name="Op">Such as <c>SCMP_CMP_EQ</c>.</param>
public sealed record SeccompArgument(
    [property: JsonPropertyName("index")] uint Index,
    [property: JsonPropertyName("value")] ulong Value,
    [property: JsonPropertyName("valueTwo")] ulong ValueTwo,
    [property: JsonPropertyName("op")] string Op);
