namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>How one run of a mirror goes; what is null here the <see cref="MirrorConfig"/> says.</summary>
public sealed record MirrorOptions
{
    /// <summary>Where from instead of registries: an archive or layout, such as <c>oci-archive:FILE</c>.</summary>
    public string? From { get; init; }

    /// <summary>Where to.</summary>
    public string? To { get; init; }

    /// <summary>What the far side has, so that an archive leaves it out: archives, inventories, or the far registry itself.</summary>
    public IReadOnlyList<string> Have { get; init; } = [];

    /// <summary>A file that gets what the target holds afterwards, for the next <see cref="Have"/>.</summary>
    public string? Inventory { get; init; }

    /// <summary>A file that pins tags to digests; it is made when it is not there.</summary>
    public string? LockFile { get; init; }

    /// <summary>Pin anew.</summary>
    public bool UpdateLock { get; init; }

    /// <summary>A file that remembers what runs put at the target.</summary>
    public string? StateFile { get; init; }

    /// <summary>Remove from the target what earlier runs put there and this one no longer chooses.</summary>
    public bool Prune { get; init; }

    /// <summary>Only tell.</summary>
    public bool DryRun { get; init; }

    /// <summary>Images at the same time.</summary>
    public int Parallel { get; init; } = 8;

    /// <summary>The clock, by which blobs of a layout are old enough to be removed.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
