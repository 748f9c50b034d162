using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Bundles;
using ImageStore.Engine.Unpack;
using ImageStore.Runtime.Host;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;

namespace ImageStore.Engine;

/// <content>From images to what runtimes run.</content>
public sealed partial class StoreEngine
{
    /// <summary>Writes an OCI bundle of an image that the store has, for runc, crun and their like.</summary>
    /// <exception cref="ImageStoreException">The image is not there, the directory or an option cannot be, it is not permitted, or the disk
    /// refuses; then nothing of it is left.</exception>
    public async Task<BundleResult> BundleAsync(BundleRequest request, TransferProgress progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(progress);
        var image = FindForBundle(request.Reference);
        Privileges.NeedUnpack(request.Reference);
        if (request.Mount)
        {
            Privileges.NeedMount(request.Directory);
        }

        var snapshotter = request.Mount ? await SnapshotterAsync(request.Snapshotter, cancellationToken).ConfigureAwait(false) : null;
        var result = await new ImageBundle(_tenant, _options.Settings.Layers, snapshotter, HostFacts.Read())
            .WriteAsync(image, request, progress, cancellationToken).ConfigureAwait(false);
        await Images.TouchAsync(image.Name, cancellationToken).ConfigureAwait(false);
        return result;
    }

    private ImageRecord FindForBundle(string reference)
    {
        try
        {
            return FindImage(reference);
        }
        catch (ImageStoreException none) when (none.Kind == ErrorKind.NotFound)
        {
            throw new ImageStoreException(none.Kind, none.Message, $"'imagestore pull {Printable.Of(reference)}' brings it.", none);
        }
    }
}
