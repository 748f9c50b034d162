using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Pull;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Unpack;

/// <summary>Unpacks an image that the store has, without any network.</summary>
internal sealed class StoredImageUnpacker(Tenant tenant, ISnapshotter snapshotter, LayerLimits limits)
{
    /// <summary>Unpacks <paramref name="image"/> for <paramref name="platform"/>.</summary>
    /// <returns>The chain ID of its topmost layer.</returns>
    /// <exception cref="ImageStoreException">The store lacks a part (<see cref="ErrorKind.NotFound"/>), or it is an
    /// artifact without a filesystem (<see cref="ErrorKind.Unsupported"/>).</exception>
    public async Task<Digest> UnpackAsync(
        ImageRecord image, Platform platform, TransferProgress progress, CancellationToken cancellationToken)
    {
        var (content, leases) = (tenant.Content, tenant.Leases);
        var stored = new StoredImage(content);
        var chosen = await stored.NeedFilesystemAsync(image, platform, cancellationToken).ConfigureAwait(false);
        progress.Phase = "unpacking";
        var config = await stored.ConfigAsync(chosen.Manifest, cancellationToken).ConfigureAwait(false);
        var chain = ChainId.Of(config.RootFs.DiffIds);
        var layers = StoredLayers.Of(content, chosen.Manifest, config, progress);
        var lease = await leases.CreateForAsync("unpack", cancellationToken).ConfigureAwait(false);
        try
        {
            await leases.AddAsync(
                lease,
                [new LeaseResource("content", image.Target.Digest.ToString()), .. ImageUnpacker.Needs(snapshotter, chain)],
                cancellationToken).ConfigureAwait(false);
            var top = await new ImageUnpacker(snapshotter, tenant, limits).UnpackAsync(layers, cancellationToken).ConfigureAwait(false);
            await content.UpdateLabelsAsync(
                chosen.Manifest.Config.Digest,
                new Dictionary<string, string> { [Labels.RefSnapshotPrefix + snapshotter.Name] = top.ToString() },
                cancellationToken).ConfigureAwait(false);
            progress.Phase = "done";
            return top;
        }
        finally
        {
            await leases.DeleteAsync(lease.Id, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
