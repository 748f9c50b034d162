using ImageStore.Gc.Pressure;
using ImageStore.Gc.Scheduling;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Content;

namespace ImageStore.Engine.Configuration;

/// <summary>What <c>config.toml</c> says of a root; what it leaves out is as here.</summary>
public sealed record Settings
{
    /// <summary>Which blobs of other namespaces a namespace may have without bringing their bytes.</summary>
    public ContentSharing Sharing { get; init; } = ContentSharing.Proof;

    /// <summary>When collections are made by themselves.</summary>
    public SchedulerOptions Collection { get; init; } = new();

    /// <summary>Between which shares of the filesystem images go by themselves; null where none ever do.</summary>
    public WaterMarks? Marks { get; init; }

    /// <summary>What a layer may cost.</summary>
    public LayerLimits Layers { get; init; } = new();

    /// <summary>How blobs are read again as time goes by.</summary>
    public ScrubSettings Scrub { get; init; } = new();

    /// <summary>How snapshots are kept and mounted.</summary>
    public SnapshotterOptions Snapshotters { get; init; } = new();

    /// <summary>Who may call the daemon beside root and its own user, and what for.</summary>
    public IReadOnlyList<AccessRule> Access { get; init; } = [];

    /// <summary>The group that can open the daemon's socket; null for its owner alone.</summary>
    public AccountName? SocketGroup { get; init; }

    /// <summary>Where the daemon writes who did what.</summary>
    public AuditSettings Audit { get; init; } = new();
}

/// <summary>How the blobs are read again and hashed, a slice at a time.</summary>
public sealed record ScrubSettings
{
    /// <summary>How long after the end of one round the next one begins; null where none does.</summary>
    public TimeSpan? Interval { get; init; } = TimeSpan.FromDays(30);

    /// <summary>The most bytes of blobs to read a second; null for as fast as the disk gives them.</summary>
    public long? BytesPerSecond { get; init; } = 20L << 20;

    /// <summary>How long one round of maintenance reads at most.</summary>
    public TimeSpan Slice { get; init; } = TimeSpan.FromMinutes(10);
}
