using ImageStore.Store.Oci;

namespace ImageStore.Engine.Pull;

/// <summary>What to pull, and what to do with it.</summary>
public sealed record PullRequest
{
    /// <summary>The reference as the user wrote it.</summary>
    public required string Reference { get; init; }

    /// <summary>The platform to take out of an index; this machine's when null.</summary>
    public Platform? Platform { get; init; }

    /// <summary>Take every entry of an index. Only <see cref="Platform"/> is unpacked.</summary>
    public bool AllPlatforms { get; init; }

    /// <summary>The snapshotter to unpack with, or null for what the filesystem can do.</summary>
    public string? Snapshotter { get; init; }

    /// <summary>Unpack after the download?</summary>
    public bool Unpack { get; init; } = true;

    /// <summary>Wait until the unpacked files are on disk too? Else a machine that goes down within the next minute
    /// unpacks them again out of the store's blobs, which are always on disk.</summary>
    public bool Sync { get; init; }

    /// <summary>When the registry is asked.</summary>
    public PullPolicy Policy { get; init; }

    /// <summary>Pin the image, so that nothing removes it by itself?</summary>
    public bool Pin { get; init; }

    /// <summary>What has to stay free on the root's filesystem: a download that would take it is not begun. Null for no such limit.</summary>
    public DiskFloor? KeepFree { get; init; }

    /// <summary>What the image is called in the store; null for the reference's full spelling.</summary>
    public string? Name { get; init; }

    /// <summary>Labels that the image gets beside our own.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = Store.Labels.None;

    /// <summary>Plain HTTP, also for hosts that are not loopback.</summary>
    public bool PlainHttp { get; init; }
}

/// <summary>When a pull asks the registry.</summary>
public enum PullPolicy
{
    /// <summary>Always: what the registry has under the name now.</summary>
    Always,

    /// <summary>Only when the store lacks the image or a part of it.</summary>
    Missing,

    /// <summary>Never: the store has it, or the pull fails.</summary>
    Never,
}

/// <summary>What a pull did.</summary>
/// <param name="Name">The image's full name.</param>
/// <param name="Target">What the name points at.</param>
/// <param name="Manifest">The manifest of the chosen platform.</param>
/// <param name="UpToDate">Was everything there already?</param>
/// <param name="Snapshotter">Who unpacked it, or null.</param>
/// <param name="ChainId">The committed snapshot's name, or null when it was not unpacked.</param>
/// <param name="BytesDownloaded">Bytes of blobs that came over the network.</param>
public sealed record PullResult(
    string Name, Descriptor Target, Digest Manifest, bool UpToDate, string? Snapshotter, Digest? ChainId, long BytesDownloaded);
