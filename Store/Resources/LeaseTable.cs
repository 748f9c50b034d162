using ImageStore.Store.Leases;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Resources;

/// <summary>The leases: each keeps what was given to it.</summary>
internal sealed class LeaseTable : IResourceTable
{
    private const string Snapshots = "snapshots/";

    public ResourceKind Kind => ResourceKind.Lease;

    public IEnumerable<ResourceRow> All(IMetadataReader rows) =>
        rows.List(StoreTables.Leases, string.Empty).Select(row => Row(rows, Resource.OfRow(Kind, row.Key), row.Value));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        rows.Get(StoreTables.Leases, resource.RowKey) is { } row ? Row(rows, resource, row) : null;

    public Resource? Of(string table, string rowKey)
    {
        if (table == StoreTables.Leases.Name)
        {
            return Resource.OfRow(Kind, rowKey);
        }

        return table == StoreTables.LeaseResources.Name && rowKey.Split('/', 3) is [var ns, var id, _] ? new Resource(Kind, ns, id) : null;
    }

    public Func<Task<long>>? Remove(MetadataTransaction transaction, Resource resource)
    {
        LeaseManager.Delete(transaction, resource.RowKey);
        return null;
    }

    private static ResourceRow Row(IMetadataReader rows, Resource lease, LeaseRow row) => new(
        lease,
        row.Labels,
        [.. rows.List(StoreTables.LeaseResources, lease.RowKey + "/").Select(held => Held(lease.Namespace, held.Value)).OfType<Resource>()]);

    // Ingests are files and no rows: they are looked at where they lie.
    private static Resource? Held(string ns, LeaseResourceRow held) => held.Type switch
    {
        "content" => new Resource(ResourceKind.Content, ns, held.Id),
        "images" => new Resource(ResourceKind.Image, ns, held.Id),
        _ when held.Type.StartsWith(Snapshots, StringComparison.Ordinal) =>
            new Resource(ResourceKind.Snapshot, ns, $"{held.Type[Snapshots.Length..]}/{held.Id}"),
        _ => null,
    };
}
