namespace ImageStore.Snapshotters.Snapshots;

/// <summary>A snapshot's metadata.</summary>
public sealed record SnapshotInfo
{
    /// <summary>What it can be used for.</summary>
    public required SnapshotKind Kind { get; init; }

    /// <summary>The key of an active snapshot or view, the name of a committed one.</summary>
    public required string Name { get; init; }

    /// <summary>The committed snapshot that it stands on, or null.</summary>
    public string? Parent { get; init; }

    /// <summary>The labels.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>When it was prepared or, once committed, committed.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its labels last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}
