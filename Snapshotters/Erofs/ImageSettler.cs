using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Finishes a layer's image once its parents are known: what the layer takes from below comes into it.</summary>
internal static class ImageSettler
{
    /// <summary>
    /// Gives implied directories the metadata that they have below, and copies up the files that hard links point at.
    /// A directory that no parent has stays 0755 root:root at the Unix epoch.
    /// </summary>
    /// <param name="layer">What applying told.</param>
    /// <param name="path">The layer's image.</param>
    /// <param name="lowers">The parents' images, topmost first.</param>
    /// <param name="limits">What the layer may cost.</param>
    /// <param name="cancellationToken">Cancels between files. After that, or a failure, the image is worth nothing.</param>
    /// <exception cref="Store.Errors.ImageStoreException">A hard link points at what no layer has
    /// (<see cref="Store.Errors.ErrorKind.CorruptData"/>), an image is damaged, or the disk refuses.</exception>
    public static void Settle(
        AppliedLayer layer, string path, IReadOnlyList<string> lowers, LayerLimits limits, CancellationToken cancellationToken)
    {
        var isDone = lowers.Count == 0 && layer.Whiteouts.Count == 0;
        if (layer.PendingLinks.Count == 0 && (isDone || TryPatch(layer, path, lowers, cancellationToken)))
        {
            return;
        }

        using var image = ImageBuilder.Continue(path, cancellationToken);
        using var below = new LowerImages(above => Hides(image.Tree, above), lowers);
        Settle(layer, image, below, limits, cancellationToken);
        image.Finish(cancellationToken);
    }

    // Most layers of a Dockerfile name every directory but the root, and few directories have attributes: then nothing moves.
    private static bool TryPatch(AppliedLayer layer, string path, IReadOnlyList<string> lowers, CancellationToken cancellationToken)
    {
        List<(long Offset, ImageInode Inode)> changes = [];
        using var own = ImageReader.Open(path);
        var root = own.Node(ErofsFormat.RootNumber);
        if (root.Inode.XattrCount > 0 && own.Xattrs(root).ContainsKey(ImageMarks.Opaque))
        {
            return false;
        }

        using var below = new LowerImages(above => LowerImages.Hides(own, above), lowers);
        foreach (var whiteout in layer.Whiteouts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!below.Has(whiteout) && own.Find(whiteout) is { Inode.IsWhiteout: true })
            {
                return false;
            }
        }

        foreach (var implied in layer.ImpliedDirectories)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (below.Directory(implied) is not { } lower)
            {
                continue;
            }

            if (lower.Xattrs().Count > 0)
            {
                return false;
            }

            var (node, from) = (own.Find(implied) ?? throw Lacks(), lower.Node.Inode);
            changes.Add((node.Number * ErofsFormat.SlotBytes, node.Inode with
            {
                Mode = from.Mode, Uid = from.Uid, Gid = from.Gid, Seconds = from.Seconds, Nanoseconds = from.Nanoseconds,
            }));
        }

        if (changes.Count > 0)
        {
            using var file = ImageFile.Continue(path, own.Super.Blocks * ErofsFormat.BlockBytes);
            foreach (var (offset, inode) in changes)
            {
                var bytes = new byte[ErofsFormat.InodeBytes];
                inode.Write(bytes);
                file.WriteAt(offset, bytes);
            }
        }

        return true;
    }

    private static void Settle(
        AppliedLayer layer, ImageBuilder image, LowerImages below, LayerLimits limits, CancellationToken cancellationToken)
    {
        var tree = image.Tree;
        foreach (var implied in layer.ImpliedDirectories)
        {
            Directory(tree, implied).IsImplied = true;
        }

        new ImageLinks(image, new ImagePaths(image, limits), below).Make(layer.PendingLinks, cancellationToken);
        RemoveIdle(image, below, layer.Whiteouts, cancellationToken);
        if (IsOpaque(tree.DirectoryOf(ImageTree.Root)))
        {
            HideRoots(image, below, cancellationToken);
        }

        foreach (var node in tree.Directories().Where(node => tree.DirectoryOf(node).IsImplied))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (below.Directory(tree.PathOf(node)) is { } lower)
            {
                Take(tree.DirectoryOf(node), lower);
            }
        }
    }

    // overlayfs lists a directory that only one layer has as it is there: programs would see a name and no file of it.
    private static void RemoveIdle(ImageBuilder image, LowerImages below, IReadOnlyList<string> whiteouts, CancellationToken cancellationToken)
    {
        foreach (var path in whiteouts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (image.Tree.FindPath(path) is { } own && image.Tree.TypeOf(own) == EntryType.Whiteout && !below.Has(path))
            {
                image.Tree.Remove(own, node => image.Unlink(image.Tree.OffsetOf(node)));
            }
        }
    }

    private static void Take(ImageDirectory own, LowerNode lower)
    {
        var inode = lower.Node.Inode;
        var xattrs = lower.Xattrs();
        if (IsOpaque(own))
        {
            xattrs[ImageMarks.Opaque] = ImageMarks.Yes;
        }

        (own.Mode, own.Uid, own.Gid, own.Seconds, own.Nanoseconds) =
            (inode.Mode & 0xFFF, inode.Uid, inode.Gid, inode.Seconds, inode.Nanoseconds);
        own.Xattrs = xattrs.Count > 0 ? xattrs : null;
    }

    // overlayfs asks only the directories inside the root whether they are opaque.
    private static void HideRoots(ImageBuilder image, LowerImages below, CancellationToken cancellationToken)
    {
        var tree = image.Tree;
        foreach (var reader in below.All)
        {
            foreach (var entry in reader.Entries(reader.Node(ErofsFormat.RootNumber)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (tree.Find(ImageTree.Root, entry.Name.Span) is not { } own)
                {
                    ImageEdits.AddWhiteout(image, ImageTree.Root, entry.Name.Span);
                }
                else if (tree.TypeOf(own) == EntryType.Directory)
                {
                    tree.DirectoryOf(own).SetXattr(ImageMarks.Opaque, ImageMarks.Yes);
                }
            }
        }
    }

    private static ImageDirectory Directory(ImageTree tree, string path)
    {
        return tree.FindPath(path) is { } found && tree.TypeOf(found) == EntryType.Directory ? tree.DirectoryOf(found) : throw Lacks();
    }

    private static bool Hides(ImageTree own, string path)
    {
        var at = ImageTree.Root;
        foreach (var part in path.Split('/'))
        {
            if (own.Find(at, System.Text.Encoding.Latin1.GetBytes(part)) is not { } child)
            {
                return false;
            }

            if (own.TypeOf(child) != EntryType.Directory || IsOpaque(own.DirectoryOf(child)))
            {
                return true;
            }

            at = child;
        }

        return false;
    }

    private static Store.Errors.ImageStoreException Lacks() => ImageFault.Damaged("it lacks a directory that its layer made");

    private static bool IsOpaque(ImageDirectory directory) => directory.Xattrs?.ContainsKey(ImageMarks.Opaque) == true;
}
