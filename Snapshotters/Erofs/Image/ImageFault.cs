using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Erofs.Image;

internal static class ImageFault
{
    public static ImageStoreException Damaged(string reason) => new(
        ErrorKind.CorruptData,
        $"A layer's EROFS image is damaged: {reason}.",
        "'imagestore fsck' tells which; remove its snapshot and pull or unpack the image again.");
}
