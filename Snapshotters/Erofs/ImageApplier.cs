using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Writes one layer as an image, without its parents.</summary>
internal static class ImageApplier
{
    /// <summary>Reads <paramref name="compressed"/> to its end into the image at <paramref name="path"/>, which must not be there.</summary>
    /// <remarks>Blocks; one thread of its own inflates. After a failure the caller removes the image.</remarks>
    /// <exception cref="ImageStore.Store.Errors.ImageStoreException">The layer is malformed, too large, or the disk refuses it.</exception>
    public static AppliedLayer Apply(
        Stream compressed, LayerCompression compression, string path, LayerLimits limits, Action<long>? onBytes, CancellationToken cancellationToken)
    {
        using var input = LayerApplier.Inflate(compressed, compression, limits, onBytes, cancellationToken);
        using var image = ImageBuilder.Create(path);
        var writer = new ImageLayerWriter(input, image, limits);
        var entries = LayerApplier.Read(input, writer, limits, cancellationToken);
        var diffId = input.Finish();
        writer.Finish();
        image.Tree.DirectoryOf(ImageTree.Root).IsImplied = !writer.HasRoot;
        var implied = image.Tree.Directories().Where(node => image.Tree.DirectoryOf(node).IsImplied).Select(image.Tree.PathOf);
        image.Finish(cancellationToken);
        return new AppliedLayer
        {
            Entries = entries,
            UnpackedBytes = writer.FileBytes,
            DiffId = diffId,
            // In this order a directory comes before what is in it.
            ImpliedDirectories = [.. implied.Order(StringComparer.Ordinal)],
            Whiteouts = writer.Whiteouts,
            PendingLinks = [.. writer.Pending.Values],
        };
    }
}
