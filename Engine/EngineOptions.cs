using ImageStore.Distribution.Registry;
using ImageStore.Engine.Configuration;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Metadata;

namespace ImageStore.Engine;

/// <summary>How a root is opened.</summary>
public sealed record EngineOptions
{
    /// <summary>The root directory.</summary>
    public required string Root { get; init; }

    /// <summary>The namespace that everything is done in.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary>Make the namespace when it is not there and the root is written?</summary>
    public bool MakeNamespace { get; init; } = true;

    /// <summary>A reader neither waits nor keeps others waiting.</summary>
    public MetadataAccess Access { get; init; } = MetadataAccess.ReadWrite;

    /// <summary>Is told who has the root while it is waited for.</summary>
    public Action<string>? OnWait { get; init; }

    /// <summary>What the configuration says.</summary>
    public Settings Settings { get; init; } = new();

    /// <summary>How registries are spoken to.</summary>
    public RegistryOptions Registry { get; init; } = new();

    /// <summary>How many files of removed snapshots are deleted before a collection returns. Whoever limits it sees to the rest.</summary>
    public RemovalBudget RemovalBudget { get; init; } = RemovalBudget.Unlimited;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where nothing else is said: <c>/var/lib/imagestore</c> for root, else the user's data directory.</summary>
    public static string DefaultRoot =>
        Environment.IsPrivilegedProcess
            ? "/var/lib/imagestore"
            : Path.Combine(
                Environment.GetFolderPath(
                    Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
                "imagestore");
}
