using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>The snapshots of all snapshotters and namespaces, as the collector sees them: each keeps its parent.</summary>
internal sealed class SnapshotTable(string rootDirectory) : IResourceTable
{
    public ResourceKind Kind => ResourceKind.Snapshot;

    public IEnumerable<ResourceRow> All(IMetadataReader rows) =>
        rows.List(SnapshotCatalogue.Table, string.Empty).Select(row => Row(Resource.OfRow(Kind, row.Key), row.Value));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        rows.Get(SnapshotCatalogue.Table, resource.RowKey) is { } row ? Row(resource, row) : null;

    public Resource? Of(string table, string rowKey) => table == SnapshotCatalogue.Table.Name ? Resource.OfRow(Kind, rowKey) : null;

    public Func<Task<long>>? Remove(MetadataTransaction transaction, Resource resource)
    {
        var key = resource.RowKey;
        if (transaction.Get(SnapshotCatalogue.Table, key) is not { } row)
        {
            return null;
        }

        transaction.Delete(SnapshotCatalogue.Table, key);
        return () => Task.Run(() =>
        {
            var directories = new SnapshotDirectories(rootDirectory, Snapshotter(resource));
            var bytes = row.Bytes ?? (Directory.Exists(directories.Fs(row.Id))
                ? TreeUsage.Measure(directories.Fs(row.Id), CancellationToken.None).Bytes
                : 0);
            directories.Remove(row.Id);
            return bytes;
        });
    }

    private static string Snapshotter(Resource snapshot) => snapshot.Key[..snapshot.Key.IndexOf('/', StringComparison.Ordinal)];

    // Somebody has what is not committed mounted, or is filling it.
    private static ResourceRow Row(Resource snapshot, SnapshotRow row) => new(
        snapshot,
        row.Labels,
        row.Parent is { } parent ? [snapshot with { Key = $"{Snapshotter(snapshot)}/{parent}" }] : [])
    {
        InUse = row.Kind != SnapshotKind.Committed,
        Size = row.Bytes ?? 0,
    };
}
