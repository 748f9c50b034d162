using ImageStore.Runtime.Spec;
using ImageStore.Runtime.Users;

namespace ImageStore.Runtime.Options;

/// <summary>What a user asks of a container beyond what its image says.</summary>
public sealed record ContainerOptions
{
    /// <summary>The command and its arguments, instead of the image's; empty for that.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>The program, instead of the image's entrypoint and command; null for those.</summary>
    public string? Entrypoint { get; init; }

    /// <summary>Variables, in their order.</summary>
    public IReadOnlyList<EnvironmentChange> Environment { get; init; } = [];

    /// <summary>As whom it runs; null for as the image says.</summary>
    public UserText? User { get; init; }

    /// <summary>The working directory, absolute; null for the image's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Further mounts.</summary>
    public IReadOnlyList<MountSpec> Mounts { get; init; } = [];

    /// <summary>Further devices.</summary>
    public IReadOnlyList<DeviceText> Devices { get; init; } = [];

    /// <summary>Is the root filesystem not to be written?</summary>
    public bool ReadOnly { get; init; }

    /// <summary>The most bytes of memory, or null.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>How many processors' time at most, or null.</summary>
    public decimal? Cpus { get; init; }

    /// <summary>How many processes at most; -1 or null for any number.</summary>
    public long? Pids { get; init; }

    /// <summary>Capabilities besides the usual ones, as <see cref="Security.Capabilities.Parse"/> gives them.</summary>
    public IReadOnlyList<string> AddedCapabilities { get; init; } = [];

    /// <summary>Capabilities that it is not to have.</summary>
    public IReadOnlyList<string> DroppedCapabilities { get; init; } = [];

    /// <summary>May it do all that this process may, with all devices?</summary>
    public bool Privileged { get; init; }

    /// <summary>The filter of system calls and the like.</summary>
    public SecurityText Security { get; init; } = new();

    /// <summary>Its host's name; null for the host's own.</summary>
    public string? Hostname { get; init; }

    /// <summary>Annotations besides the image's.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>Does it get a terminal?</summary>
    public bool Terminal { get; init; }

    /// <summary>Has it the host's network, and not an empty one of its own?</summary>
    public bool HostNetwork { get; init; }

    /// <summary>Limits; of several of one type the last counts.</summary>
    public IReadOnlyList<RlimitSpec> Ulimits { get; init; } = [];

    /// <summary>How early the kernel ends it when memory is short, from -1000 to 1000; null for as its parent.</summary>
    public int? OomScoreAdj { get; init; }

    /// <summary>The control group; null leaves it to the runtime, which calls it by the container.</summary>
    public string? Cgroup { get; init; }
}
