namespace ImageStore.Snapshotters.Snapshots;

/// <summary>What a snapshot can be used for.</summary>
public enum SnapshotKind
{
    /// <summary>Mounted read-only; it can only be removed.</summary>
    View = 1,

    /// <summary>Mounted writable; it can be committed or removed.</summary>
    Active,

    /// <summary>Immutable; it can be the parent of others.</summary>
    Committed,
}
