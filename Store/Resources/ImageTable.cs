using ImageStore.Store.Images;

namespace ImageStore.Store.Resources;

/// <summary>The images: each keeps its target.</summary>
internal static class ImageTable
{
    public static IResourceTable Open() => new RowTable<ImageRow>(ResourceKind.Image, StoreTables.Images, Row);

    private static ResourceRow Row(Resource image, ImageRow row) =>
        new(image, row.Labels, [image.Beside(ResourceKind.Content, row.Target.Digest.ToString())])
        {
            UsedAt = row.UsedAt ?? row.UpdatedAt,
        };
}
