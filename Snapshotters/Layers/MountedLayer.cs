using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Unpacks a layer where only an active snapshot's mounts are known, as clients of containerd's API do it.</summary>
/// <remarks>Nothing is mounted: the directories behind the mounts are written themselves, as a pull writes them.</remarks>
public static class MountedLayer
{
    private const string UpperOption = "upperdir=";

    /// <summary>Unpacks; blocks, and one thread of its own inflates.</summary>
    /// <param name="compressed">The layer.</param>
    /// <param name="compression">How it is compressed.</param>
    /// <param name="mounts">What the snapshotter handed out for the snapshot.</param>
    /// <param name="scratch">Prepares a layer of the native snapshotter, for a snapshot that is no stack of directories and has its
    /// parent's files already.</param>
    /// <param name="limits">What the layer may cost.</param>
    /// <param name="onBytes">Is told how many uncompressed bytes were read so far.</param>
    /// <param name="cancellationToken">Cancels between entries.</param>
    /// <exception cref="ImageStoreException">The mounts are read-only, of another kind or written to already, the layer is malformed or too
    /// large, or the disk refuses; after any of these the snapshot is to be removed.</exception>
    public static AppliedLayer Apply(
        Stream compressed,
        LayerCompression compression,
        IReadOnlyList<Mount> mounts,
        Func<LayerSnapshot> scratch,
        LayerLimits limits,
        Action<long>? onBytes,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        var (directory, lowers, format) = Places(mounts);
        if (!Directory.EnumerateFileSystemEntries(directory).Any())
        {
            var layer = LayerApplier.Apply(compressed, compression, directory, format, limits, onBytes, cancellationToken);
            LayerSettler.Settle(layer, directory, lowers, format, cancellationToken);
            return layer;
        }

        if (lowers.Count > 0)
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                "The snapshot was written to already, and a layer is unpacked into one that was not.",
                "Prepare a new snapshot on the same parent.");
        }

        var aside = ((DirectoryLayerSnapshot)scratch()).Directory;
        var applied = LayerApplier.Apply(compressed, compression, aside, format, limits, onBytes, cancellationToken);
        LayerSettler.Settle(applied, aside, [directory], format, cancellationToken);
        LayerMerger.MergeOnto(aside, directory, format, cancellationToken);
        return applied;
    }

    /// <summary>Has the filesystem of a snapshot's files write all that it has.</summary>
    /// <exception cref="ImageStoreException">The mounts are of another kind, or the disk refuses.</exception>
    public static void Sync(IReadOnlyList<Mount> mounts) => DirectoryHandle.SyncFileSystem(Places(mounts).Directory);

    /// <summary>The directory to write, those below it, topmost first, and how overlayfs marks what is opaque there.</summary>
    private static (string Directory, IReadOnlyList<string> Lowers, LayerFormat Format) Places(IReadOnlyList<Mount> mounts)
    {
        ArgumentNullException.ThrowIfNull(mounts);
        if (LayerStack.TryOf(mounts) is not { Directories.Count: > 0 } stack)
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                "A layer can be unpacked into one bind or overlay mount, and these are others.",
                "Use the mounts of a snapshot that this store prepared.");
        }

        var (top, mount) = (stack.Directories[0], mounts[0]);
        var isWritable = mount.Type == "overlay"
            ? mount.Options.Any(option => option.StartsWith(UpperOption, StringComparison.Ordinal))
            : !mount.Options.Contains("ro");
        if (!isWritable)
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition, "The mounts are read-only: they are those of a view.", "Prepare a snapshot, and give its mounts.");
        }

        return Directory.Exists(top)
            ? (top, [.. stack.Directories.Skip(1)], new LayerFormat(stack.IsUser ? "user.overlay.opaque" : "trusted.overlay.opaque"))
            : throw new ImageStoreException(ErrorKind.NotFound, $"The directory {Printable.Of(top)} of the mounts is not there.");
    }
}
