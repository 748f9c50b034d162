using System.Globalization;
using ImageStore.Store;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>The snapshots of all snapshotters and namespaces, as the collector sees them: each keeps its parent.</summary>
internal sealed class SnapshotTable(string rootDirectory, RemovalBudget budget) : IResourceTable
{
    public ResourceKind Kind => ResourceKind.Snapshot;

    public IReadOnlyList<string> Namespaces(IMetadataReader rows) => rows.NamespacesOf(SnapshotCatalogue.Table);

    public int Count(IMetadataReader rows, string @namespace) => rows.Totals(SnapshotCatalogue.Table, @namespace).Count;

    public long Bytes(IMetadataReader rows, string @namespace) => rows.Totals(SnapshotCatalogue.Table, @namespace).Weight;

    public IEnumerable<ResourceRow> All(IMetadataReader rows, string @namespace) =>
        rows.List(SnapshotCatalogue.Table, @namespace + "/").Select(row => Row(new Resource(Kind, row.Key), row.Value));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        rows.Get(SnapshotCatalogue.Table, resource.RowKey) is { } row ? Row(resource, row) : null;

    public Resource? Of(string table, string rowKey) => table == SnapshotCatalogue.Table.Name ? new Resource(Kind, rowKey) : null;

    public string? Remove(MetadataTransaction transaction, Resource resource)
    {
        var row = transaction.Get(SnapshotCatalogue.Table, resource.RowKey);
        transaction.Delete(SnapshotCatalogue.Table, resource.RowKey);
        return row is null ? null : string.Create(CultureInfo.InvariantCulture, $"{Snapshotter(resource)}/{row.Id}/{row.Bytes ?? row.LayerBytes}");
    }

    public long DeleteFiles(string files)
    {
        var parts = files.Split('/');
        var directories = new SnapshotDirectories(rootDirectory, parts[0]);
        var id = long.Parse(parts[1], CultureInfo.InvariantCulture);
        // Of what a client committed without a layer nobody has counted anything yet.
        var bytes = parts[2].Length > 0 ? long.Parse(parts[2], CultureInfo.InvariantCulture)
            : Directory.Exists(directories.Of(id)) ? TreeUsage.Measure(directories.Of(id), CancellationToken.None).Bytes
            : 0;
        directories.Remove(id, budget);
        return bytes;
    }

    private static ReadOnlySpan<char> Snapshotter(Resource snapshot)
    {
        var key = snapshot.RowKey.AsSpan(snapshot.RowKey.IndexOf('/', StringComparison.Ordinal) + 1);
        return key[..key.IndexOf('/')];
    }

    // Somebody has what is not committed mounted, or is filling it. Clients of the API may die meanwhile; their leases tell.
    private static ResourceRow Row(Resource snapshot, SnapshotRow row) => new(
        snapshot,
        row.Labels,
        row.Parent is { } parent ? [snapshot.Beside(ResourceKind.Snapshot, $"{Snapshotter(snapshot)}/{parent}")] : [])
    {
        InUse = row.Kind != SnapshotKind.Committed && !row.Labels.ContainsKey(Labels.Leased),
        Size = SnapshotCatalogue.Weight(row),
    };
}
