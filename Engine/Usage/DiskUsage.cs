namespace ImageStore.Engine.Usage;

/// <summary>What a root takes on its disk, and for whom. All bytes are allocated ones, as <c>du</c> counts them; each is in one place only.</summary>
/// <param name="TotalBytes">The whole root.</param>
/// <param name="Namespaces">What is one namespace's alone.</param>
/// <param name="SharedBytes">Blobs that several namespaces see.</param>
/// <param name="UnclaimedBytes">Blobs, snapshots and downloads that belong to no namespace: the next collection or opening removes them.</param>
/// <param name="MetadataBytes">The database and its backups.</param>
/// <param name="QuarantineBytes">What fsck has put aside.</param>
/// <param name="OtherBytes">The folders themselves, the lock, the configuration.</param>
public sealed record DiskUsage(
    long TotalBytes,
    IReadOnlyList<NamespaceUsage> Namespaces,
    long SharedBytes,
    long UnclaimedBytes,
    long MetadataBytes,
    long QuarantineBytes,
    long OtherBytes);

/// <summary>What one namespace has on the disk.</summary>
/// <param name="Name">The namespace.</param>
/// <param name="Images">How many images it has.</param>
/// <param name="UniqueBytes">Blobs that it alone sees.</param>
/// <param name="SharedBytes">Blobs that others see too; in the total they count once.</param>
/// <param name="SnapshotBytes">Unpacked layers and what was written onto them.</param>
/// <param name="IngestBytes">Downloads that are not finished.</param>
/// <param name="QuotaBytes">What counts for its quota: sizes in bytes, shared ones in full.</param>
/// <param name="Quota">Its quota in bytes, or null.</param>
public sealed record NamespaceUsage(
    string Name, int Images, long UniqueBytes, long SharedBytes, long SnapshotBytes, long IngestBytes, long QuotaBytes, long? Quota);

/// <summary>What one image of a namespace has on the disk.</summary>
/// <param name="Name">The image.</param>
/// <param name="UniqueBytes">Blobs that no other image of the namespace has.</param>
/// <param name="SharedBytes">Blobs that others have too.</param>
/// <param name="UniqueSnapshotBytes">Unpacked layers that no other image has.</param>
/// <param name="SharedSnapshotBytes">Those that others have too.</param>
public sealed record ImageUsage(string Name, long UniqueBytes, long SharedBytes, long UniqueSnapshotBytes, long SharedSnapshotBytes);

/// <summary>What one snapshot of a namespace has on the disk.</summary>
/// <param name="Name">Snapshotter and name.</param>
/// <param name="Parent">The name of its parent.</param>
/// <param name="UniqueBytes">Its own.</param>
/// <param name="SharedBytes">Those of all its parents.</param>
public sealed record SnapshotUsageLine(string Name, string? Parent, long UniqueBytes, long SharedBytes);
