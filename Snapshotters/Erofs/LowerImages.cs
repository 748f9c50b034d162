using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>What a layer sees below itself in its parents' images, as overlayfs would show it; nothing is mounted for that.</summary>
/// <param name="ownHides">Does the layer itself hide what lies below at a path?</param>
/// <param name="paths">The parents' images, topmost first.</param>
internal sealed class LowerImages(Func<string, bool> ownHides, IReadOnlyList<string> paths) : IDisposable
{
    // Opened when first needed, since most layers ask for little.
    private readonly ImageReader?[] _readers = new ImageReader?[paths.Count];

    /// <summary>The images, topmost first.</summary>
    public IEnumerable<ImageReader> All => Enumerable.Range(0, paths.Count).Select(Reader);

    /// <summary>The directory at <paramref name="path"/> below the layer, or null where there is none.</summary>
    public LowerNode? Directory(string path) => Search(path, isDirectory: true);

    /// <summary>What is no directory at <paramref name="path"/>, or null where no lower layer shows one.</summary>
    public LowerNode? File(string path) => Search(path, isDirectory: false);

    /// <summary>Does any lower layer show something at <paramref name="path"/>?</summary>
    public bool Has(string path) => (File(path) ?? Directory(path)) is not null;

    public void Dispose()
    {
        foreach (var reader in _readers)
        {
            reader?.Dispose();
        }
    }

    private LowerNode? Search(string path, bool isDirectory)
    {
        // The layer's own leaf hides nothing: an opaque directory is still what it was below, without what was in it.
        if (LayerPath.Split(path).Directory is { Length: > 0 } above && ownHides(above))
        {
            return null;
        }

        for (var i = 0; i < paths.Count; i++)
        {
            var reader = Reader(i);
            if (reader.Find(path) is { } found && found.Inode.IsDirectory == isDirectory && !found.Inode.IsWhiteout)
            {
                return new LowerNode(reader, found);
            }

            if (Hides(reader, path))
            {
                return null;
            }
        }

        return null;
    }

    /// <summary>A whiteout, a file, a link or an opaque directory of one layer covers the path in those below it.</summary>
    public static bool Hides(ImageReader reader, string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); path.Length > 0; slash = path.IndexOf('/', slash + 1))
        {
            if (reader.Find(slash < 0 ? path : path[..slash]) is not { } found)
            {
                return false;
            }

            if (!found.Inode.IsDirectory || (found.Inode.XattrCount > 0 && reader.Xattrs(found).ContainsKey(ImageMarks.Opaque)))
            {
                return true;
            }

            if (slash < 0)
            {
                return false;
            }
        }

        return false;
    }

    private ImageReader Reader(int i) => _readers[i] ??= ImageReader.Open(paths[i]);
}

/// <summary>What lies in a lower layer's image.</summary>
internal sealed record LowerNode(ImageReader Reader, ImageNode Node)
{
    /// <summary>The attributes, without those by which overlayfs keeps its own state.</summary>
    public Dictionary<byte[], byte[]> Xattrs()
    {
        if (Node.Inode.XattrCount == 0)
        {
            return [];
        }

        var all = Reader.Xattrs(Node);
        foreach (var name in all.Keys.Where(name => OverlayAttributes.Owns(name)).ToList())
        {
            all.Remove(name);
        }

        return all;
    }
}
