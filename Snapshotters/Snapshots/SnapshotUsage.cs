namespace ImageStore.Snapshotters.Snapshots;

/// <summary>What a snapshot itself occupies, its parents not counted.</summary>
/// <param name="Inodes">Inodes; a hard-linked file counts once.</param>
/// <param name="Bytes">Bytes allocated on disk.</param>
public sealed record SnapshotUsage(long Inodes, long Bytes);
