using ImageStore.Snapshotters.Layers.Diff;

namespace ImageStore.Engine.Commit;

/// <summary>A snapshot that is to become an image.</summary>
public sealed record CommitRequest
{
    /// <summary>The snapshot's key, or the directory that it is mounted on.</summary>
    public required string Snapshot { get; init; }

    /// <summary>The new image's name.</summary>
    public required string Name { get; init; }

    /// <summary>The image that the snapshot stands on; null for the one that its parent was unpacked of.</summary>
    public string? Base { get; init; }

    /// <summary>Changes of the configuration, in the words of a Dockerfile.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>Who made it.</summary>
    public string? Author { get; init; }

    /// <summary>What for; goes into the history.</summary>
    public string? Message { get; init; }

    /// <summary>How the new layer is compressed.</summary>
    public CompressionChoice Compression { get; init; } = CompressionChoice.Default;

    /// <summary>The time of the image and the latest one of its files; null for now, and for files as they are.</summary>
    public DateTimeOffset? Timestamp { get; init; }

    /// <summary>The snapshotter, or null for the usual one.</summary>
    public string? Snapshotter { get; init; }
}
