using ImageStore.Store.Leases;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Resources;

/// <summary>The leases: each keeps what was given to it.</summary>
internal sealed class LeaseTable : IResourceTable
{
    private const string Snapshots = "snapshots/";

    public ResourceKind Kind => ResourceKind.Lease;

    public IReadOnlyList<string> Namespaces(IMetadataReader rows) => rows.NamespacesOf(StoreTables.Leases);

    public int Count(IMetadataReader rows, string @namespace) => rows.Totals(StoreTables.Leases, @namespace).Count;

    public long Bytes(IMetadataReader rows, string @namespace) => 0;

    public IEnumerable<ResourceRow> All(IMetadataReader rows, string @namespace) =>
        rows.List(StoreTables.Leases, @namespace + "/").Select(row => Row(rows, new Resource(Kind, row.Key), row.Value));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        rows.Get(StoreTables.Leases, resource.RowKey) is { } row ? Row(rows, resource, row) : null;

    public Resource? Of(string table, string rowKey)
    {
        if (table == StoreTables.Leases.Name)
        {
            return new Resource(Kind, rowKey);
        }

        return table == StoreTables.LeaseResources.Name && rowKey.Split('/', 3) is [var ns, var id, _] ? new Resource(Kind, ns, id) : null;
    }

    public string? Remove(MetadataTransaction transaction, Resource resource)
    {
        LeaseManager.Delete(transaction, resource.RowKey);
        return null;
    }

    public long DeleteFiles(string files) => 0;

    private static ResourceRow Row(IMetadataReader rows, Resource lease, LeaseRow row) => new(
        lease,
        row.Labels,
        [.. rows.List(StoreTables.LeaseResources, lease.RowKey + "/").Select(held => Held(lease, held.Value)).OfType<Resource>()])
    {
        Ends = row.Ends,
    };

    // Ingests are files and no rows: they are looked at where they lie.
    private static Resource? Held(Resource lease, LeaseResourceRow held) => held.Type switch
    {
        "content" => lease.Beside(ResourceKind.Content, held.Id),
        "images" => lease.Beside(ResourceKind.Image, held.Id),
        _ when held.Type.StartsWith(Snapshots, StringComparison.Ordinal) =>
            lease.Beside(ResourceKind.Snapshot, $"{held.Type.AsSpan(Snapshots.Length)}/{held.Id}"),
        _ => null,
    };
}
