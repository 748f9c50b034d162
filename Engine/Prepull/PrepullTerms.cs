using ImageStore.Engine.Pull;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Prepull;

/// <summary>How an image of a set is pulled: what the set says, or the image itself.</summary>
internal sealed record PrepullTerms
{
    /// <summary>Images of a higher one go first.</summary>
    public int Priority { get; init; }

    /// <summary>The platforms, of which the first is unpacked; empty for this machine's.</summary>
    public IReadOnlyList<Platform> Platforms { get; init; } = [];

    /// <summary>Pin it as long as it is in the set?</summary>
    public bool Pin { get; init; } = true;

    /// <summary>Where its credentials are, absolute; null for the usual places.</summary>
    public string? Credentials { get; init; }

    /// <summary>When the registry is asked.</summary>
    public PullPolicy Policy { get; init; } = PullPolicy.Always;

    /// <summary>The snapshotter; null for what the filesystem can do.</summary>
    public string? Snapshotter { get; init; }

    /// <summary>Unpack it?</summary>
    public bool Unpack { get; init; } = true;

    /// <summary>When it may begin; null for at any time.</summary>
    public TimeWindow? Window { get; init; }

    /// <summary>The most bytes a second; null for no cap.</summary>
    public long? BytesPerSecond { get; init; }

    /// <summary>What has to stay free on the disk; null for nothing.</summary>
    public DiskFloor? KeepFree { get; init; }

    /// <summary>Plain HTTP, also for hosts that are not loopback?</summary>
    public bool PlainHttp { get; init; }
}
