using ImageStore.Engine.Unpack;
using ImageStore.Snapshotters.Layers;
using ImageStore.Distribution.Transfer.Progress;

namespace ImageStore.Engine.Bundles;

/// <summary>Writes layers as plain files, one upon the other, as what overlayfs would show of them.</summary>
/// <remarks>Each is unpacked beside the tree and moved onto it, so nothing is copied.</remarks>
internal sealed class RootfsLayers(LayerLimits limits, bool inUserNamespace)
{
    private const string AsideName = ".layer";

    // Only root of the whole machine may have attributes of the other name.
    private readonly LayerFormat _format = new(inUserNamespace ? "user.overlay.opaque" : "trusted.overlay.opaque");

    /// <summary>Writes <paramref name="layers"/>, base first, into <paramref name="bundle"/>.</summary>
    /// <exception cref="ImageStore.Store.Errors.ImageStoreException">A layer is malformed, too large, or the disk refuses; what was written is to be removed.</exception>
    public async Task WriteAsync(IReadOnlyList<LayerSource> layers, BundleDirectory bundle, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(bundle.Rootfs);
        var aside = bundle.In(AsideName);
        try
        {
            for (var i = 0; i < layers.Count; i++)
            {
                Directory.CreateDirectory(aside);
                await AddAsync(layers[i], aside, bundle.Rootfs, isBase: i == 0, cancellationToken).ConfigureAwait(false);
                TreeRemover.RemoveTree(aside);
            }
        }
        finally
        {
            TreeRemover.RemoveTree(aside);
        }
    }

    private async Task AddAsync(LayerSource layer, string aside, string rootfs, bool isBase, CancellationToken cancellationToken)
    {
        var applied = await LayerReading.RunAsync(
            layer,
            (compressed, compression, onBytes) => LayerApplier.Apply(compressed, compression, aside, _format, limits, onBytes, cancellationToken),
            static _ => { },
            cancellationToken).ConfigureAwait(false);
        await Task.Run(
            () =>
            {
                LayerSettler.Settle(applied, aside, isBase ? [] : [rootfs], _format, cancellationToken);
                LayerMerger.MergeOnto(aside, rootfs, _format, cancellationToken);
            },
            cancellationToken).ConfigureAwait(false);
        layer.Progress.State = BlobState.Done;
    }
}
