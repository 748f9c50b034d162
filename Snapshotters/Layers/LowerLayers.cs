using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Layers;

/// <summary>What a layer sees below itself, as overlayfs would show it.</summary>
internal sealed class LowerLayers(SafeFileHandle own, IReadOnlyList<string> lowerDirectories, LayerFormat format) : IDisposable
{
    // Opened when first needed, since most layers ask for little.
    private readonly SafeFileHandle?[] _roots = new SafeFileHandle?[lowerDirectories.Count];

    /// <summary>The directory at <paramref name="path"/> below the layer, or null where there is none.</summary>
    public SafeFileHandle? Directory(string path) =>
        Search(path, root => OpenAt.DirectoryIfThere(root, RootedPath.Name(path.Length == 0 ? "." : path), LayerFault.Show(path)));

    /// <summary>The directory that holds the file at <paramref name="path"/>, or null where no lower layer shows one.</summary>
    public SafeFileHandle? ParentOfFile(string path)
    {
        var slash = path.LastIndexOf('/');
        var parent = RootedPath.Name(slash < 0 ? "." : path[..slash]);
        var name = RootedPath.Name(path[(slash + 1)..]);
        return Search(path, root =>
        {
            var holder = OpenAt.DirectoryIfThere(root, parent, LayerFault.Show(path));
            if (holder is not null
                && FileMetadata.TryGet(holder, name) is { IsDirectory: false, IsWhiteout: false })
            {
                return holder;
            }

            holder?.Dispose();
            return null;
        });
    }

    public void Dispose()
    {
        foreach (var root in _roots)
        {
            root?.Dispose();
        }
    }

    private SafeFileHandle? Search(string path, Func<SafeFileHandle, SafeFileHandle?> find)
    {
        // The layer's own leaf hides nothing: an opaque directory is still what it was below, without what was in it.
        if (path.LastIndexOf('/') is var slash and > 0 && Hides(own, path[..slash]))
        {
            return null;
        }

        for (var i = 0; i < lowerDirectories.Count; i++)
        {
            var root = _roots[i] ??= OpenAt.HostDirectory(lowerDirectories[i]);
            if (find(root) is { } found)
            {
                return found;
            }

            if (Hides(root, path))
            {
                return null;
            }
        }

        return null;
    }

    // A whiteout, a file, a link or an opaque directory of one layer covers the path in those below it.
    private bool Hides(SafeFileHandle root, string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); ; slash = path.IndexOf('/', slash + 1))
        {
            var prefix = RootedPath.Name(slash < 0 ? path : path[..slash]);
            if (FileMetadata.TryGet(root, prefix) is not { } found)
            {
                return false;
            }

            if (!found.IsDirectory || Xattr.Get(root, prefix, format.OpaqueXattr) is not null)
            {
                return true;
            }

            if (slash < 0)
            {
                return false;
            }
        }
    }
}
