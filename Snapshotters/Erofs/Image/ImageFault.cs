using System.Globalization;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Erofs.Image;

internal static class ImageFault
{
    public static ImageStoreException Damaged(string reason) => new(
        ErrorKind.CorruptData,
        $"A layer's EROFS image is damaged: {reason}.",
        "'imagestore fsck' tells which; remove its snapshot and pull or unpack the image again.");

    /// <summary>Tells of what an image can hold at most; the configuration raises none of it.</summary>
    public static ImageStoreException Limit(string what, long limit) => new(
        ErrorKind.LimitExceeded,
        string.Create(CultureInfo.InvariantCulture, $"The layer exceeds the limit of {limit} for {what}, which its EROFS image has."),
        "Unpack the image with another snapshotter.");
}
