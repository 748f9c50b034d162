using ImageStore.Snapshotters.Erofs;
using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Looks whether snapshots' images are still what was written.</summary>
public static class LayerImages
{
    /// <summary>What is wrong with a snapshot's image, or null.</summary>
    /// <param name="place">The snapshot, which is kept as an image that is there.</param>
    /// <param name="readsAll">Read all of it, where its digest is known?</param>
    /// <param name="cancellationToken">Cancels between pieces.</param>
    /// <exception cref="ImageStoreException">The disk refuses, though the image need not be damaged.</exception>
    public static string? FaultOf(SnapshotPlace place, bool readsAll, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(place);
        var path = Path.Combine(place.Directory, SnapshotPlaces.ImageName);
        try
        {
            using (var image = ImageReader.Open(path))
            {
                _ = ImageTreeLoader.Load(image, cancellationToken);
            }

            return readsAll && place.ImageDigest is { } digest && ImageDigest.Of(path, cancellationToken).ToString() is var found && found != digest
                ? $"its image has the digest {found} and was written with {digest}"
                : null;
        }
        catch (ImageStoreException damaged) when (damaged.Kind is ErrorKind.CorruptData or ErrorKind.LimitExceeded)
        {
            return damaged.Message;
        }
    }
}
