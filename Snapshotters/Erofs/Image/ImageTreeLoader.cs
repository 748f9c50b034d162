namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>Brings an image's names back into memory, as they were before they were written.</summary>
internal static class ImageTreeLoader
{
    /// <summary>The names, and how many of them are directories.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The image is damaged.</exception>
    public static (ImageTree Tree, int Directories) Load(ImageReader reader, CancellationToken cancellationToken)
    {
        var tree = new ImageTree();
        var directories = 0;
        // A damaged directory may name one above it, and the tree would have no end.
        HashSet<long> seen = [];
        Stack<(int Node, long Number)> open = new([(ImageTree.Root, ErofsFormat.RootNumber)]);
        while (open.TryPop(out var next))
        {
            cancellationToken.ThrowIfCancellationRequested();
            directories++;
            if (!seen.Add(next.Number))
            {
                throw ImageFault.Damaged("a directory is in it twice");
            }

            var node = reader.Node(next.Number);
            Describe(reader, node, tree.DirectoryOf(next.Node));
            foreach (var entry in reader.Entries(node))
            {
                if (tree.Find(next.Node, entry.Name.Span) is not null)
                {
                    throw ImageFault.Damaged("a directory is malformed");
                }

                if (entry.Type == EntryType.Directory)
                {
                    open.Push((tree.AddDirectory(next.Node, entry.Name.Span), entry.Number));
                }
                else
                {
                    var type = entry.Type == EntryType.CharDevice ? reader.Node(entry.Number).Inode.EntryType : entry.Type;
                    tree.Add(next.Node, entry.Name.Span, type, entry.Number * ErofsFormat.SlotBytes);
                }
            }
        }

        return (tree, directories);
    }

    private static void Describe(ImageReader reader, ImageNode node, ImageDirectory info)
    {
        var inode = node.Inode;
        (info.Mode, info.Uid, info.Gid, info.Seconds, info.Nanoseconds) =
            (inode.Mode & 0xFFF, inode.Uid, inode.Gid, inode.Seconds, inode.Nanoseconds);
        var xattrs = reader.Xattrs(node);
        info.Xattrs = xattrs.Count > 0 ? xattrs : null;
    }
}
