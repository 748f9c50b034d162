using ImageStore.Store.Metadata;

namespace ImageStore.Store.Resources;

/// <summary>Resources that are one row each, and no files.</summary>
/// <param name="kind">The kind.</param>
/// <param name="source">Where the rows are; keys are <c>namespace/key</c>.</param>
/// <param name="read">What a row says of its resource.</param>
internal sealed class RowTable<TRow>(ResourceKind kind, MetadataTable<TRow> source, Func<Resource, TRow, ResourceRow> read) : IResourceTable
    where TRow : class
{
    public ResourceKind Kind => kind;

    public IReadOnlyList<string> Namespaces(IMetadataReader rows) => rows.NamespacesOf(source);

    public int Count(IMetadataReader rows, string @namespace) => rows.Totals(source, @namespace).Count;

    public long Bytes(IMetadataReader rows, string @namespace) => 0;

    public IEnumerable<ResourceRow> All(IMetadataReader rows, string @namespace) =>
        rows.List(source, @namespace + "/").Select(row => read(new Resource(kind, row.Key), row.Value));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        rows.Get(source, resource.RowKey) is { } row ? read(resource, row) : null;

    public Resource? Of(string table, string rowKey) => table == source.Name ? new Resource(kind, rowKey) : null;

    public string? Remove(MetadataTransaction transaction, Resource resource)
    {
        transaction.Delete(source, resource.RowKey);
        return null;
    }

    public long DeleteFiles(string files) => 0;
}
