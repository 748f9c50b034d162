using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store.Content;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Unpack;

/// <summary>The layers of an image that the store has, to be unpacked out of it.</summary>
internal static class StoredLayers
{
    /// <summary>The layers, base first.</summary>
    public static IReadOnlyList<LayerSource> Of(IContentStore content, Manifest manifest, ImageConfig config, TransferProgress progress)
    {
        var chain = ChainId.Of(config.RootFs.DiffIds);
        return [.. manifest.Layers.Select((layer, i) => new LayerSource(
            layer,
            config.RootFs.DiffIds[i],
            chain[i],
            _ => Task.FromResult(content.OpenRead(layer.Digest)),
            () => Task.CompletedTask,
            Known(progress.Add(layer, "layer"))))];
    }

    private static BlobProgress Known(BlobProgress blob)
    {
        (blob.Done, blob.State) = (blob.Total, BlobState.Exists);
        return blob;
    }
}
