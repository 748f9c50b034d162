using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Finishes a layer once its parents are known: what it takes from below comes into its own directory.</summary>
public static class LayerSettler
{
    /// <summary>
    /// Gives implied directories the metadata that they have below, and copies up the files that hard links point at.
    /// A directory that no parent has stays 0755 root:root at the Unix epoch.
    /// </summary>
    /// <param name="layer">What applying told.</param>
    /// <param name="directory">Where it was applied.</param>
    /// <param name="lowerDirectories">Parents in overlay form, topmost first.</param>
    /// <param name="format">The overlay form's variant.</param>
    /// <param name="cancellationToken">Cancels between files.</param>
    /// <exception cref="ImageStoreException">A hard link points at what no layer has (<see cref="ErrorKind.CorruptData"/>),
    /// or the disk refuses.</exception>
    public static void Settle(
        AppliedLayer layer,
        string directory,
        IReadOnlyList<string> lowerDirectories,
        LayerFormat format,
        CancellationToken cancellationToken)
    {
        using var root = OpenAt.HostDirectory(directory);
        using var lowers = new LowerLayers(root, lowerDirectories, format);
        var rootTime = FileMetadata.TryGet(root, "\0"u8)!.Value;
        var links = new PendingLinks(root, lowers);
        links.Make(layer.PendingLinks, cancellationToken);
        IdleWhiteouts.Remove(root, lowers, layer.Whiteouts, cancellationToken);
        if (OpaqueRoot.Hide(root, lowerDirectories, format, cancellationToken))
        {
            InodeChange.Touch(root, rootTime.Seconds, rootTime.Nanoseconds, "/");
        }

        // The making of links and of their directories changed the times of what holds them.
        foreach (var (path, metadata) in links.TouchedDirectories)
        {
            var shown = LayerFault.Show(path);
            using var own = OpenAt.DirectoryInRoot(root, RootedPath.Name(path)) ?? throw KernelError.Last($"open '{shown}'");
            InodeChange.Touch(own, metadata.Seconds, metadata.Nanoseconds, shown);
        }

        foreach (var path in layer.ImpliedDirectories.Concat(links.MadeDirectories).Reverse())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var shown = LayerFault.Show(path);
            using var own = OpenAt.Directory(root, RootedPath.Name(path.Length == 0 ? "." : path))
                ?? throw KernelError.Last($"open '{shown}'");
            using var lower = lowers.Directory(path);
            if (lower is null)
            {
                InodeChange.Touch(own, 0, 0, shown);
            }
            else
            {
                MetadataCopy.To(lower, own, FileMetadata.TryGet(lower, "\0"u8)!.Value, shown);
            }
        }
    }
}
