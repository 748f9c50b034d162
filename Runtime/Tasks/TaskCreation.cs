using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Types;

namespace ImageStore.Runtime.Tasks;

/// <summary>A task to be made.</summary>
internal sealed record TaskCreation
{
    /// <summary>The namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>The container.</summary>
    public required string Id { get; init; }

    /// <summary>The runtime's name, or the path of its shim.</summary>
    public required string Runtime { get; init; }

    /// <summary>The bytes of <c>config.json</c>.</summary>
    public required byte[] Spec { get; init; }

    /// <summary>What the shim mounts as the container's root, one over the other.</summary>
    public IReadOnlyList<Mount> Rootfs { get; init; } = [];

    /// <summary>What the process reads, as its shim understands it; empty for nothing.</summary>
    public string Stdin { get; init; } = string.Empty;

    /// <summary>Where its output goes.</summary>
    public string Stdout { get; init; } = string.Empty;

    /// <summary>Where its errors go.</summary>
    public string Stderr { get; init; } = string.Empty;

    /// <summary>Has it a terminal?</summary>
    public bool Terminal { get; init; }

    /// <summary>The container's options for its runtime.</summary>
    public Any? RuntimeOptions { get; init; }

    /// <summary>This task's, in place of the container's.</summary>
    public Any? Options { get; init; }
}
