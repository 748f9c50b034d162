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

    /// <summary>Does any lower layer show something at <paramref name="path"/>?</summary>
    public bool Has(string path)
    {
        using var found = ParentOfFile(path) ?? Directory(path);
        return found is not null;
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

    // A whiteout, a file, a link or an opaque directory of one layer covers the path in those below it. Each step is
    // taken from a handle: of a longer path the kernel would follow links, which another process may have put there.
    private bool Hides(SafeFileHandle root, string path)
    {
        SafeFileHandle? at = null;
        try
        {
            foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                var name = RootedPath.Name(part);
                if (FileMetadata.TryGet(at ?? root, name) is not { } found)
                {
                    return false;
                }

                if (!found.IsDirectory || Xattr.Get(at ?? root, name, format.OpaqueXattr) is not null)
                {
                    return true;
                }

                var below = OpenAt.DirectoryIfThere(at ?? root, name, LayerFault.Show(path));
                at?.Dispose();
                at = below;
                if (at is null)
                {
                    return true;
                }
            }

            return false;
        }
        finally
        {
            at?.Dispose();
        }
    }
}
