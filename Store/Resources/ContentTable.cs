using ImageStore.Store.Content;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Resources;

/// <summary>The blobs that namespaces see. A file goes when the last namespace's row is gone.</summary>
internal sealed class ContentTable(BlobFiles blobs) : IResourceTable
{
    public ResourceKind Kind => ResourceKind.Content;

    public IReadOnlyList<string> Namespaces(IMetadataReader rows) => rows.NamespacesOf(StoreTables.Content);

    public int Count(IMetadataReader rows, string @namespace) => rows.Totals(StoreTables.Content, @namespace).Count;

    public long Bytes(IMetadataReader rows, string @namespace) => rows.Totals(StoreTables.Content, @namespace).Weight;

    public IEnumerable<ResourceRow> All(IMetadataReader rows, string @namespace) =>
        rows.List(StoreTables.Content, @namespace + "/").Select(row => Row(new Resource(Kind, row.Key), row.Value));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        rows.Get(StoreTables.Content, resource.RowKey) is { } row ? Row(resource, row) : null;

    public Resource? Of(string table, string rowKey) => table == StoreTables.Content.Name ? new Resource(Kind, rowKey) : null;

    public string? Remove(MetadataTransaction transaction, Resource resource) =>
        transaction.Delete(StoreTables.Content, resource.RowKey) ? resource.Key : null;

    public long DeleteFiles(string files) => blobs.DeleteUnnamed(Digest.Parse(files)) ?? 0;

    private static ResourceRow Row(Resource blob, ContentRow row) => new(blob, row.Labels, []) { Size = row.Size };
}
