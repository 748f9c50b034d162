using ImageStore.Store;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>What is made of a snapshotter's own methods.</summary>
public static class SnapshotterExtensions
{
    /// <summary>Replaces a snapshot's labels.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">There is no such snapshot, or a label is malformed.</exception>
    public static Task<SnapshotInfo> UpdateLabelsAsync(
        this ISnapshotter snapshotter, string key, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(snapshotter);
        return snapshotter.UpdateLabelsAsync(key, LabelUpdate.Replace(labels), cancellationToken);
    }
}
