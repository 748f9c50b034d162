using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Unpack;

/// <summary>Reads a layer to its end, and holds what came out against what the image promises.</summary>
internal static class LayerReading
{
    /// <summary>What writes a layer somewhere: its bytes, how they are compressed, and who is told how many were unpacked.</summary>
    public delegate AppliedLayer Writer(Stream compressed, LayerCompression compression, Action<long> onBytes);

    /// <summary>Has <paramref name="write"/> write the layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="write">Blocks until it is done.</param>
    /// <param name="onBytes">Is told how many bytes were unpacked so far.</param>
    /// <param name="cancellationToken">Cancels the opening; <paramref name="write"/> has its own.</param>
    /// <exception cref="ImageStoreException">The diff ID is another one (<see cref="ErrorKind.CorruptData"/>), or as <paramref name="write"/> throws.</exception>
    public static async Task<AppliedLayer> RunAsync(LayerSource layer, Writer write, Action<long> onBytes, CancellationToken cancellationToken)
    {
        var source = await layer.Open(cancellationToken).ConfigureAwait(false);
        await using var opened = source.ConfigureAwait(false);

        // The applier blocks on disk and on bytes that are still to come, so it does not belong on the pool.
        var applied = await Task.Factory.StartNew(
            () => Write(layer, source, write, onBytes), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        return applied.DiffId == layer.DiffId
            ? applied
            : throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"The layer {layer.Descriptor.Digest} unpacks to the diff ID {applied.DiffId}, but the image config promises {layer.DiffId}.",
                "The image itself is at fault: ask its publisher, or pull another tag.");
    }

    private static AppliedLayer Write(LayerSource layer, Stream source, Writer write, Action<long> onBytes)
    {
        using var head = LayerHead.Read(source);
        var compression = LayerDecompressor.Detect(head.Bytes.Span);
        layer.Progress.Warning = LayerTypes.Disagreement(layer.Descriptor, compression);
        layer.Progress.State = layer.Progress.State == BlobState.Downloading ? BlobState.Downloading : BlobState.Unpacking;
        return write(head, compression, bytes =>
        {
            onBytes(bytes);
            layer.Progress.Unpacked = bytes;
        });
    }
}
