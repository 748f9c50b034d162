using System.Text;
using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Tells how one tree differs from another, as a list or as a layer that makes the one out of the other.</summary>
/// <remarks>
/// Both trees are given by the mounts that snapshotters hand out. Where these are directories and overlays of them, the
/// directories are read themselves and nothing is mounted; an overlay that stands on the other tree costs only its upper directory. Else both are
/// mounted, read-only, somewhere of our own.
/// </remarks>
public static class LayerDiffer
{
    /// <summary>The changes from <paramref name="lower"/> to <paramref name="upper"/>, in the order of their paths.</summary>
    /// <param name="lower">What is compared with; no mounts for nothing.</param>
    /// <param name="upper">What is there now.</param>
    /// <param name="limits">What a layer may cost.</param>
    /// <param name="cancellationToken">Cancels between entries.</param>
    /// <exception cref="Store.Errors.ImageStoreException">Something that no layer can hold, or the disk refuses.</exception>
    public static IReadOnlyList<PathChange> List(
        IReadOnlyList<Mount> lower, IReadOnlyList<Mount> upper, LayerLimits limits, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(limits);
        List<PathChange> changes = [];
        var trees = new TreePair(lower, upper, limits, cancellationToken);
        trees.Walk(
            change =>
            {
                if (change is { IsRootsTime: false, Kind: not ChangeKind.Unchanged })
                {
                    if (changes.Count == limits.MaxEntries)
                    {
                        throw DiffFault.TooLarge("entries");
                    }

                    changes.Add(new PathChange(change.Kind, "/" + Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(change.Path))));
                }
            },
            changes.Clear);
        return changes;
    }

    /// <summary>Writes the layer that makes <paramref name="upper"/> out of <paramref name="lower"/>. Nothing changed gives an empty tar.</summary>
    /// <remarks>Blocks. The same trees give the same bytes, on any number of cores.</remarks>
    /// <param name="lower">What the layer will lie on; no mounts for nothing.</param>
    /// <param name="upper">What it has to give.</param>
    /// <param name="output">Takes the layer; after a failure what it has is worth nothing.</param>
    /// <param name="options">Compression, times and limits.</param>
    /// <param name="cancellationToken">Cancels between entries and blocks.</param>
    /// <exception cref="Store.Errors.ImageStoreException">Something that no layer can hold, or that changes while it is read; or a
    /// disk refuses.</exception>
    public static LayerDiff Write(
        IReadOnlyList<Mount> lower, IReadOnlyList<Mount> upper, Stream output, DiffOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(options);
        var trees = new TreePair(lower, upper, options.Limits, cancellationToken);

        // An output may be a pipe: whether the trees have to be mounted must be known before the first byte.
        trees.Try();
        using var compressor = Compressor(output, options, cancellationToken);
        using var tar = new TarStream(compressor ?? output, options.Limits.MaxUnpackedBytes);
        var writer = new LayerTarWriter(tar, options, cancellationToken);
        trees.Walk(writer.Write);
        writer.Finish();
        compressor?.Finish();
        return new LayerDiff(tar.DiffId, writer.Entries, tar.Bytes);
    }

    private static ParallelCompressor? Compressor(Stream output, DiffOptions options, CancellationToken cancellationToken)
    {
        var level = options.Compression.Level;
        return options.Compression.Kind switch
        {
            LayerCompression.Gzip => new ParallelCompressor(output, new GzipFormat(level), options.Workers, cancellationToken),
            LayerCompression.Zstd => new ParallelCompressor(output, new ZstdFormat(level), options.Workers, cancellationToken),
            _ => null,
        };
    }
}
