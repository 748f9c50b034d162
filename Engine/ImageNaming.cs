using ImageStore.Distribution.Registry;
using ImageStore.Engine.Commit;
using ImageStore.Engine.Pull;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Engine;

/// <summary>Finds, tags and pins the images of a namespace by the names that people write.</summary>
public sealed class ImageNaming
{
    private readonly ImageCatalogue _images;

    internal ImageNaming(ImageCatalogue images) => _images = images;

    /// <summary>The image that <paramref name="reference"/> names, in its short or full spelling.</summary>
    /// <exception cref="ImageStoreException">There is none (<see cref="ErrorKind.NotFound"/>).</exception>
    public ImageRecord Find(string reference) =>
        _images.Find(reference)
            ?? _images.Find(ImageReference.Parse(reference).Canonical)
            ?? throw ImageCatalogue.Missing(reference);

    /// <summary>Gives an image a further name.</summary>
    /// <exception cref="ImageStoreException">There is no such image, or the name is malformed.</exception>
    public Task<ImageRecord> TagAsync(string source, string target, CancellationToken cancellationToken)
    {
        var name = ImageNames.ForNew(target);

        // A pin is for a name, and not for all names of what it stands for.
        return _images.CopyAsync(Find(source).Name, name, labels => PinClaims.ByHand(labels, pinned: false), cancellationToken);
    }

    /// <summary>Has an image stay, or lets it go again.</summary>
    /// <exception cref="ImageStoreException">There is no such image.</exception>
    public Task<ImageRecord> PinAsync(string reference, bool pinned, CancellationToken cancellationToken) => _images.UpdateAsync(
        Find(reference).Name,
        image => image with { Labels = Labels.Merge(image.Labels, PinClaims.ByHand(image.Labels, pinned)) },
        null,
        cancellationToken);

    /// <summary>Forgets a name, if it is not pinned and stands for <paramref name="target"/>.</summary>
    /// <exception cref="ImageStoreException">It is pinned (<see cref="ErrorKind.FailedPrecondition"/>), or not there or not that
    /// (<see cref="ErrorKind.NotFound"/>).</exception>
    public Task RemoveAsync(string name, Digest target, CancellationToken cancellationToken) => _images.RemoveUnlessAsync(
        name,
        image =>
        {
            ImageCatalogue.RefuseOther(image, target);
            RefusePinned(image);
        },
        cancellationToken);

    /// <exception cref="ImageStoreException">The image is pinned (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public static void RefusePinned(ImageRecord image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Labels.ContainsKey(Labels.Pinned))
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"{Printable.Of(image.Name)} is pinned.",
                $"'imagestore images unpin {Printable.Of(image.Name)}' lets it go.");
        }
    }
}
