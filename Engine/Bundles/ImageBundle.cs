using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Mounts;
using ImageStore.Engine.Pull;
using ImageStore.Engine.Unpack;
using ImageStore.Runtime.Bundles;
using ImageStore.Runtime.Generation;
using ImageStore.Runtime.Host;
using ImageStore.Runtime.Images;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Bundles;

/// <summary>Writes an OCI bundle of an image that the store has.</summary>
/// <remarks>The configuration is written last: a directory without one is no bundle, whatever ended us.</remarks>
/// <param name="tenant">The namespace that has the image.</param>
/// <param name="limits">What layers may cost.</param>
/// <param name="snapshotter">The snapshotter to mount from; null where the files are written.</param>
/// <param name="host">What the machine and this process can do.</param>
internal sealed class ImageBundle(Tenant tenant, LayerLimits limits, ISnapshotter? snapshotter, HostFacts host)
{
    /// <summary>Writes it; after a failure nothing of it is left.</summary>
    /// <exception cref="ImageStoreException">The store lacks a part, the directory or an option cannot be, or the disk refuses.</exception>
    public async Task<BundleResult> WriteAsync(
        ImageRecord image, BundleRequest request, TransferProgress progress, CancellationToken cancellationToken)
    {
        var stored = new StoredImage(tenant.Content);
        var platform = request.Platform ?? Platform.Current;
        var chosen = await stored.NeedFilesystemAsync(image, platform, cancellationToken).ConfigureAwait(false);
        var config = await stored.ConfigAsync(chosen.Manifest, cancellationToken).ConfigureAwait(false);
        var process = ImageProcess.Parse(
            await tenant.Content.ReadVerifiedAsync(chosen.Manifest.Config, OciLimits.MaxConfigBytes, cancellationToken).ConfigureAwait(false));

        // What can be known to be wrong by now is told before anything is unpacked.
        SpecGenerator.Check(process, request.Options, host);
        using var bundle = BundleDirectory.Take(request.Directory);
        try
        {
            progress.Phase = "unpacking";
            if (snapshotter is null)
            {
                await WriteFilesAsync(image, chosen.Manifest, config, bundle, progress, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await MountAsync(image, platform, snapshotter, bundle, progress, cancellationToken).ConfigureAwait(false);
            }

            cancellationToken.ThrowIfCancellationRequested();
            var made = SpecGenerator.Generate(process, request.Options, host, bundle.Rootfs);
            BundleFile.Write(bundle.Work, made.Spec);
            progress.Phase = "done";
            return new BundleResult(
                bundle.Path, image.Name, chosen.Descriptor.Digest, ChainId.Of(config.RootFs.DiffIds)[^1], made.Spec.Process.Args, process.StopSignal, snapshotter?.Name, made.Notes);
        }
        catch (Exception cause)
        {
            await UndoAfterAsync(cause, bundle).ConfigureAwait(false);
            throw;
        }
    }

    private async Task WriteFilesAsync(
        ImageRecord image, Manifest manifest, ImageConfig config, BundleDirectory bundle, TransferProgress progress, CancellationToken cancellationToken)
    {
        var lease = await tenant.Leases.CreateForAsync("bundle", cancellationToken).ConfigureAwait(false);
        try
        {
            await tenant.Leases.AddAsync(lease, [new LeaseResource("content", image.Target.Digest.ToString())], cancellationToken).ConfigureAwait(false);
            await new RootfsLayers(limits, host.InUserNamespace)
                .WriteAsync(StoredLayers.Of(tenant.Content, manifest, config, progress), bundle, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await tenant.Leases.DeleteAsync(lease.Id, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task MountAsync(
        ImageRecord image, Platform platform, ISnapshotter from, BundleDirectory bundle, TransferProgress progress, CancellationToken cancellationToken)
    {
        var chainId = await new StoredImageUnpacker(tenant, from, limits).UnpackAsync(image, platform, progress, cancellationToken).ConfigureAwait(false);
        Directory.CreateDirectory(bundle.Rootfs);
        await new ImageMounts(from).MountAsync(chainId, bundle.MountPoint, readWrite: true, null, cancellationToken).ConfigureAwait(false);
    }

    // What is left is told with the reason for all of it, and does not take its place.
    private async Task UndoAfterAsync(Exception cause, BundleDirectory bundle)
    {
        try
        {
            await UndoAsync(bundle).ConfigureAwait(false);
        }
        catch (Exception left) when (cause is not OperationCanceledException && left is ImageStoreException or IOException or UnauthorizedAccessException)
        {
            var known = IoErrors.From(cause, $"Writing the bundle {Printable.Of(bundle.Path)}");
            throw new ImageStoreException(
                known.Kind,
                known.Message,
                $"{known.Remedy} Parts of {Printable.Of(bundle.Path)} are left, which could not be removed: {left.Message}".TrimStart(),
                cause);
        }
    }

    private async Task UndoAsync(BundleDirectory bundle)
    {
        try
        {
            if (snapshotter is not null)
            {
                await new ImageMounts(snapshotter).UnmountAsync(bundle.MountPoint, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (ImageStoreException nothing) when (nothing.Kind == ErrorKind.NotFound)
        {
            // It failed before anything was mounted.
        }

        bundle.Undo();
    }
}
