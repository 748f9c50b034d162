using ImageStore.Store.Images;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Resources;

/// <summary>The images: each keeps its target.</summary>
internal sealed class ImageTable : IResourceTable
{
    public ResourceKind Kind => ResourceKind.Image;

    public IEnumerable<ResourceRow> All(IMetadataReader rows) =>
        rows.List(StoreTables.Images, string.Empty).Select(row => Row(Resource.OfRow(Kind, row.Key), row.Value));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        rows.Get(StoreTables.Images, resource.RowKey) is { } row ? Row(resource, row) : null;

    public Resource? Of(string table, string rowKey) => table == StoreTables.Images.Name ? Resource.OfRow(Kind, rowKey) : null;

    public Func<Task<long>>? Remove(MetadataTransaction transaction, Resource resource)
    {
        transaction.Delete(StoreTables.Images, resource.RowKey);
        return null;
    }

    private static ResourceRow Row(Resource image, ImageRow row) =>
        new(image, row.Labels, [new Resource(ResourceKind.Content, image.Namespace, row.Target.Digest.ToString())]);
}
