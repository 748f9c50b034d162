using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Keeps file system trees as chains of snapshots and hands out mounts of them.</summary>
/// <remarks>
/// <para>
/// An image's chain is made from the lowest layer up: prepare an active snapshot on the parent, mount and fill it,
/// unmount, commit it under the name that the next one gives as parent. A container then prepares an active snapshot
/// on the last name, mounts it, runs, unmounts and removes it. Keys of active snapshots and views and names of
/// committed ones share one space; committing turns the key into the name, and the key is free again.
/// </para>
/// <para>
/// Layers may also be unpacked before their parents are there: <see cref="PrepareLayerAsync"/> gives what takes the
/// layer, and <see cref="CommitLayerAsync"/> settles it against the parent, which must by then be committed.
/// </para>
/// <para>
/// One instance serves one namespace; its methods may be called concurrently. A committed snapshot whose files were
/// not known to be on disk when the machine went down is reported as absent, so that it is unpacked again.
/// </para>
/// </remarks>
public interface ISnapshotter
{
    /// <summary>The snapshotter's name in labels and configuration: <c>overlayfs</c>, <c>native</c> or <c>erofs</c>.</summary>
    string Name { get; }

    /// <summary>A snapshot's metadata, or null when there is none or it cannot be trusted after a power cut.</summary>
    Task<SnapshotInfo?> StatAsync(string key, CancellationToken cancellationToken);

    /// <summary>Changes a snapshot's labels.</summary>
    Task<SnapshotInfo> UpdateLabelsAsync(string key, LabelUpdate labels, CancellationToken cancellationToken);

    /// <summary>What a snapshot itself occupies; for a committed one it is counted once and remembered.</summary>
    Task<SnapshotUsage> UsageAsync(string key, CancellationToken cancellationToken);

    /// <summary>The mounts of an active snapshot or a view, to be applied in order onto one target.</summary>
    Task<IReadOnlyList<Mount>> MountsAsync(string key, CancellationToken cancellationToken);

    /// <summary>Makes an active snapshot on a committed parent, or an empty one without.</summary>
    Task<IReadOnlyList<Mount>> PrepareAsync(
        string key, string? parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>Makes a read-only view of a committed parent, or an empty one without.</summary>
    Task<IReadOnlyList<Mount>> ViewAsync(
        string key, string? parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>Turns the active snapshot <paramref name="key"/> into the committed <paramref name="name"/>.</summary>
    /// <remarks>The labels replace the active snapshot's. Unmount it first, so that nothing writes on.</remarks>
    Task CommitAsync(
        string name, string key, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>Removes a snapshot that has no children; its files go at once and for good.</summary>
    Task RemoveAsync(string key, CancellationToken cancellationToken);

    /// <summary>All snapshots, ordered by name.</summary>
    Task<IReadOnlyList<SnapshotInfo>> WalkAsync(CancellationToken cancellationToken);

    /// <summary>Makes an active snapshot for a layer whose parent may come later.</summary>
    Task<LayerSnapshot> PrepareLayerAsync(
        string key, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>Settles an unpacked layer against its parent and commits it as <paramref name="name"/>.</summary>
    /// <remarks>
    /// When the name is there already, the key is removed and the error's kind is AlreadyExists. On any other failure
    /// the key stays for its owner to remove.
    /// </remarks>
    Task CommitLayerAsync(
        string name,
        string key,
        string? parent,
        AppliedLayer layer,
        IReadOnlyDictionary<string, string> labels,
        CancellationToken cancellationToken);

    /// <summary>Flushes the files of committed snapshots to disk and remembers that they are durable.</summary>
    /// <param name="minimumAge">Only those committed at least so long ago; what the kernel wrote back by then costs nothing to flush.</param>
    /// <param name="cancellationToken">Cancels before the flush.</param>
    Task MarkSyncedAsync(TimeSpan minimumAge, CancellationToken cancellationToken);
}
