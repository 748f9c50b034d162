using ImageStore.Store.Containers;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Resources;

/// <summary>The containers: each keeps its snapshot, and what its labels refer to.</summary>
internal sealed class ContainerTable : IResourceTable
{
    public ResourceKind Kind => ResourceKind.Container;

    public IReadOnlyList<string> Namespaces(IMetadataReader rows) => rows.NamespacesOf(StoreTables.Containers);

    public int Count(IMetadataReader rows, string @namespace) => rows.Totals(StoreTables.Containers, @namespace).Count;

    public long Bytes(IMetadataReader rows, string @namespace) => 0;

    public IEnumerable<ResourceRow> All(IMetadataReader rows, string @namespace) =>
        rows.List(StoreTables.Containers, @namespace + "/").Select(row => Row(new Resource(Kind, row.Key), row.Value));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        rows.Get(StoreTables.Containers, resource.RowKey) is { } row ? Row(resource, row) : null;

    public Resource? Of(string table, string rowKey) => table == StoreTables.Containers.Name ? new Resource(Kind, rowKey) : null;

    public string? Remove(MetadataTransaction transaction, Resource resource)
    {
        transaction.Delete(StoreTables.Containers, resource.RowKey);
        return null;
    }

    public long DeleteFiles(string files) => 0;

    private static ResourceRow Row(Resource container, ContainerRow row) => new(
        container,
        row.Labels,
        row.SnapshotKey.Length > 0 ? [container.Beside(ResourceKind.Snapshot, $"{row.Snapshotter}/{row.SnapshotKey}")] : []);
}
