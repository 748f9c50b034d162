using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>An active snapshot that a layer is written into before its parent is there.</summary>
/// <param name="key">The key to commit or remove it by.</param>
public abstract class LayerSnapshot(string key)
{
    /// <summary>The key to commit or remove it by.</summary>
    public string Key => key;

    /// <summary>Reads a layer to its end and writes what it holds.</summary>
    /// <remarks>Blocks; one thread of its own inflates. It may be called once; after a failure the snapshot is worth nothing.</remarks>
    /// <param name="compressed">The layer.</param>
    /// <param name="compression">How it is compressed.</param>
    /// <param name="limits">What it may cost.</param>
    /// <param name="onBytes">Is told how many bytes were unpacked so far.</param>
    /// <param name="cancellationToken">Cancels between entries.</param>
    /// <exception cref="ImageStore.Store.Errors.ImageStoreException">The layer is malformed, too large, or the disk refuses it.</exception>
    public abstract AppliedLayer Apply(
        Stream compressed, LayerCompression compression, LayerLimits limits, Action<long>? onBytes, CancellationToken cancellationToken);
}

/// <summary>One whose files go into a directory.</summary>
internal sealed class DirectoryLayerSnapshot(string key, string directory, LayerFormat format) : LayerSnapshot(key)
{
    public string Directory => directory;

    public override AppliedLayer Apply(
        Stream compressed, LayerCompression compression, LayerLimits limits, Action<long>? onBytes, CancellationToken cancellationToken) =>
        LayerApplier.Apply(compressed, compression, directory, format, limits, onBytes, cancellationToken);
}
