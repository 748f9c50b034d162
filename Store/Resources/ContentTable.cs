using ImageStore.Store.Content;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Resources;

/// <summary>The blobs that namespaces see. A file goes when the last namespace's row is gone.</summary>
internal sealed class ContentTable(BlobFiles files) : IResourceTable
{
    public ResourceKind Kind => ResourceKind.Content;

    public IEnumerable<ResourceRow> All(IMetadataReader rows) =>
        rows.List(StoreTables.Content, string.Empty).Select(row => Row(Resource.OfRow(Kind, row.Key), row.Value));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        rows.Get(StoreTables.Content, resource.RowKey) is { } row ? Row(resource, row) : null;

    public Resource? Of(string table, string rowKey) => table == StoreTables.Content.Name ? Resource.OfRow(Kind, rowKey) : null;

    public Func<Task<long>>? Remove(MetadataTransaction transaction, Resource resource) =>
        transaction.Delete(StoreTables.Content, resource.RowKey)
            ? async () => await files.DeleteUnnamedAsync(Digest.Parse(resource.Key)).ConfigureAwait(false) ?? 0
            : null;

    private static ResourceRow Row(Resource blob, ContentRow row) => new(blob, row.Labels, []) { Size = row.Size };
}
