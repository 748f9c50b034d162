using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Finishes a layer once its parents are known: implied directories take their metadata from below.</summary>
public static class LayerSettler
{
    /// <summary>Settles <paramref name="layer"/>; a directory that no parent has stays 0755 root:root at the Unix epoch.</summary>
    /// <param name="layer">What applying told.</param>
    /// <param name="directory">Where it was applied.</param>
    /// <param name="lowerDirectories">Parents in overlay form, topmost first.</param>
    /// <param name="format">The overlay form's variant.</param>
    /// <param name="ct">Cancels between directories.</param>
    /// <exception cref="ImageStoreException">A hard link needs a lower layer, which this version does not copy up.</exception>
    public static void Settle(
        AppliedLayer layer, string directory, IReadOnlyList<string> lowerDirectories, LayerFormat format, CancellationToken ct)
    {
        if (layer.PendingLinks.Count > 0)
        {
            var (link, target) = layer.PendingLinks[0];
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"'{LayerFault.Show(link)}' is a hard link to '{LayerFault.Show(target)}', which its own layer does not hold.",
                "Rebuild the image so that the layer holds the link's target.");
        }

        using var root = OpenAt.HostDirectory(directory);
        foreach (var path in layer.ImpliedDirectories.Reverse())
        {
            ct.ThrowIfCancellationRequested();
            var shown = LayerFault.Show(path);
            using var own = OpenAt.Directory(root, RootedPath.Name(path)) ?? throw KernelError.Last($"open '{shown}'");
            using var lower = Find(root, path, lowerDirectories, format);
            if (lower is null)
            {
                InodeChange.Touch(own, 0, 0, shown);
            }
            else
            {
                MetadataCopy.To(lower, own, FileMetadata.TryGet(lower, "\0"u8)!.Value, format, shown);
            }
        }
    }

    private static SafeFileHandle? Find(SafeFileHandle own, string path, IReadOnlyList<string> lowers, LayerFormat format)
    {
        if (Hides(own, path, format))
        {
            return null;
        }

        foreach (var lower in lowers)
        {
            using var root = OpenAt.HostDirectory(lower);
            if (OpenAt.Directory(root, RootedPath.Name(path)) is { } found)
            {
                return found;
            }

            if (Hides(root, path, format))
            {
                return null;
            }
        }

        return null;
    }

    // True where a whiteout, a file or an opaque directory of this layer covers the path in those below.
    private static bool Hides(SafeFileHandle root, string path, LayerFormat format)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); ; slash = path.IndexOf('/', slash + 1))
        {
            var prefix = RootedPath.Name(slash < 0 ? path : path[..slash]);
            if (FileMetadata.TryGet(root, prefix) is not { } found)
            {
                return false;
            }

            if (found.IsSymlink)
            {
                throw new ImageStoreException(
                    ErrorKind.Unsupported,
                    $"The layer writes below '{LayerFault.Show(path)}', which is a symbolic link in a layer below.",
                    "Rebuild the image so that the layer names the link's target.");
            }

            if (!found.IsDirectory)
            {
                return true;
            }

            if (slash < 0)
            {
                return false;
            }

            if (Xattr.Get(root, prefix, format.OpaqueXattr) is not null)
            {
                return true;
            }
        }
    }
}
