namespace ImageStore.Store.Containers;

/// <summary>What is known of a container before and after it runs.</summary>
public sealed record ContainerRecord
{
    /// <summary>Its name in the namespace.</summary>
    public required string Id { get; init; }

    /// <summary>Its labels.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>The image that it was made from; empty for none.</summary>
    public string Image { get; init; } = string.Empty;

    /// <summary>The runtime's name, such as <c>io.containerd.runc.v2</c>.</summary>
    public required string Runtime { get; init; }

    /// <summary>What the runtime is told beside that.</summary>
    public TypedBytes? RuntimeOptions { get; init; }

    /// <summary>The runtime's specification of the container.</summary>
    public TypedBytes? Spec { get; init; }

    /// <summary>Which snapshotter has its files; empty for none.</summary>
    public string Snapshotter { get; init; } = string.Empty;

    /// <summary>Which snapshot they are; the collector keeps it.</summary>
    public string SnapshotKey { get; init; } = string.Empty;

    /// <summary>What clients keep with it, by their own names.</summary>
    public IReadOnlyDictionary<string, TypedBytes> Extensions { get; init; } = new Dictionary<string, TypedBytes>();

    /// <summary>The sandbox that it runs in; empty for none.</summary>
    public string Sandbox { get; init; } = string.Empty;

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was changed last.</summary>
    public DateTimeOffset UpdatedAt { get; init; }
}
