using ImageStore.Engine;

namespace ImageStore.Daemon;

/// <summary>How the daemon runs.</summary>
public sealed record DaemonOptions
{
    /// <summary>The root and its settings.</summary>
    public required EngineOptions Engine { get; init; }

    /// <summary>The directory of what ends with the machine: bundles of containers that run.</summary>
    public required string State { get; init; }

    /// <summary>The socket's path.</summary>
    public required string Address { get; init; }

    /// <summary>Is told in a line what the administrator has to know.</summary>
    public required Action<string> Tell { get; init; }
}
