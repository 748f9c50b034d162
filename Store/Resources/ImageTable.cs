using ImageStore.Store.Images;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Resources;

/// <summary>The images: each keeps its target.</summary>
internal sealed class ImageTable : IResourceTable
{
    public ResourceKind Kind => ResourceKind.Image;

    public IReadOnlyList<string> Namespaces(IMetadataReader rows) => rows.NamespacesOf(StoreTables.Images);

    public int Count(IMetadataReader rows, string @namespace) => rows.Totals(StoreTables.Images, @namespace).Count;

    public long Bytes(IMetadataReader rows, string @namespace) => 0;

    public IEnumerable<ResourceRow> All(IMetadataReader rows, string @namespace) =>
        rows.List(StoreTables.Images, @namespace + "/").Select(row => Row(new Resource(Kind, row.Key), row.Value));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        rows.Get(StoreTables.Images, resource.RowKey) is { } row ? Row(resource, row) : null;

    public Resource? Of(string table, string rowKey) => table == StoreTables.Images.Name ? new Resource(Kind, rowKey) : null;

    public string? Remove(MetadataTransaction transaction, Resource resource)
    {
        transaction.Delete(StoreTables.Images, resource.RowKey);
        return null;
    }

    public long DeleteFiles(string files) => 0;

    private static ResourceRow Row(Resource image, ImageRow row) =>
        new(image, row.Labels, [image.Beside(ResourceKind.Content, row.Target.Digest.ToString())])
        {
            UsedAt = row.UsedAt ?? row.UpdatedAt,
        };
}
