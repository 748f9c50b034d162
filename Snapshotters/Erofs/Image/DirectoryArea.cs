using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>Writes all directories behind the files: first their inodes, then the data that does not fit there.</summary>
/// <remarks>Where each inode will be has to be known before the first is written, since a directory names those below and above.</remarks>
/// <param name="file">The image.</param>
/// <param name="tree">The names.</param>
/// <param name="inodeAt">Where the inode is that was put at an offset.</param>
internal sealed class DirectoryArea(ImageFile file, ImageTree tree, Func<long, long> inodeAt)
{
    private const int OwnLinks = 2;
    private static readonly ReadOnlyMemory<byte> s_self = "."u8.ToArray();
    private static readonly ReadOnlyMemory<byte> s_above = ".."u8.ToArray();
    private readonly List<int> _order = [];

    /// <summary>Writes them; how many there are.</summary>
    public int Write(CancellationToken cancellationToken)
    {
        var start = file.End;
        var (inodes, data) = Place(start, cancellationToken);
        file.Skip(inodes + data - start);
        var inodeWriter = new RegionWriter(file);
        var dataWriter = new RegionWriter(file);
        foreach (var directory in _order)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Write(directory, inodes, inodeWriter, dataWriter);
        }

        inodeWriter.Flush();
        dataWriter.Flush();
        return _order.Count;
    }

    // Where the inodes end, and how long the data are. The data's places count from there until that is known.
    private (long InodesEnd, long DataBytes) Place(long start, CancellationToken cancellationToken)
    {
        var (at, data) = (start, 0L);
        Stack<int> open = new([ImageTree.Root]);
        while (open.TryPop(out var directory))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _order.Add(directory);
            var info = tree.DirectoryOf(directory);
            var children = tree.Children(directory);
            var (piece, blocks) = Measure(info, DirectoryBlocks.Size(Names(children)), tree.PathOf(directory));
            info.DataOffset = data;
            data += blocks;
            if (directory == ImageTree.Root)
            {
                info.Offset = piece <= ErofsFormat.BlockBytes ? ErofsFormat.RootOffset : throw ImageFault.Limit("bytes of the root's extended attributes", ErofsFormat.BlockBytes);
            }
            else
            {
                var left = ErofsFormat.BlockBytes - (at % ErofsFormat.BlockBytes);
                at = piece > left ? at + left : at;
                info.Offset = at;
                at = ErofsFormat.RoundUp(at + piece, piece > ErofsFormat.BlockBytes ? ErofsFormat.BlockBytes : ErofsFormat.SlotBytes);
            }

            for (var i = children.Count - 1; i >= 0; i--)
            {
                if (tree.TypeOf(children[i]) == EntryType.Directory)
                {
                    open.Push(children[i]);
                }
            }
        }

        return (ErofsFormat.RoundUp(at, ErofsFormat.BlockBytes), data);
    }

    private void Write(int directory, long dataStart, RegionWriter inodes, RegionWriter blocks)
    {
        var info = tree.DirectoryOf(directory);
        var (entries, links) = Entries(directory, info);
        var data = DirectoryBlocks.Encode(entries);
        var xattrs = Xattrs(info, tree.PathOf(directory));
        var isInline = IsInline(xattrs.Length, data.Length);
        var whole = isInline ? data.Length & ~(ErofsFormat.BlockBytes - 1) : data.Length;
        var place = dataStart + info.DataOffset;
        var inode = new ImageInode(FileType.Directory | info.Mode, info.Uid, info.Gid, info.Seconds, info.Nanoseconds)
        {
            Links = links,
            Size = data.Length,
            Layout = isInline ? DataLayout.Inline : DataLayout.Plain,
            Place = whole == 0 ? 0 : (uint)(place / ErofsFormat.BlockBytes),
            XattrCount = XattrBody.Count(xattrs.Length),
        };
        var piece = new byte[ErofsFormat.InodeBytes + xattrs.Length + data.Length - whole];
        inode.Write(piece);
        xattrs.CopyTo(piece.AsSpan(ErofsFormat.InodeBytes));
        data.AsSpan(whole).CopyTo(piece.AsSpan(ErofsFormat.InodeBytes + xattrs.Length));
        if (directory == ImageTree.Root)
        {
            file.WriteAt(info.Offset, piece);
        }
        else
        {
            inodes.Write(info.Offset, piece);
        }

        blocks.Write(place, data.AsSpan(0, whole));
    }

    private (List<DirectoryEntry> Entries, uint Links) Entries(int directory, ImageDirectory info)
    {
        var links = (uint)OwnLinks;
        List<DirectoryEntry> entries =
        [
            new(s_self, Number(info.Offset), EntryType.Directory),
            new(s_above, Number(tree.DirectoryOf(tree.ParentOf(directory)).Offset), EntryType.Directory),
        ];
        foreach (var child in tree.Children(directory))
        {
            var type = tree.TypeOf(child);
            links += type == EntryType.Directory ? 1U : 0;
            entries.Add(new(tree.NameOf(child), Number(type == EntryType.Directory ? tree.DirectoryOf(child).Offset : inodeAt(tree.OffsetOf(child))), type));
        }

        entries.Sort(static (x, y) => x.Name.Span.SequenceCompareTo(y.Name.Span));
        return (entries, links);
    }

    private IEnumerable<int> Names(List<int> children) =>
        children.Select(child => tree.NameOf(child)).Append(s_self).Append(s_above)
            .Order(Comparer<ReadOnlyMemory<byte>>.Create(static (x, y) => x.Span.SequenceCompareTo(y.Span))).Select(name => name.Length);

    // How long the inode is with what is behind it, and how many bytes of whole blocks the data take elsewhere.
    private static (int Piece, long Blocks) Measure(ImageDirectory info, long size, string path)
    {
        var xattrs = Xattrs(info, path).Length;
        var head = ErofsFormat.InodeBytes + xattrs;
        return IsInline(xattrs, size)
            ? (head + (int)(size % ErofsFormat.BlockBytes), size & ~(ErofsFormat.BlockBytes - 1))
            : (head, ErofsFormat.RoundUp(size, ErofsFormat.BlockBytes));
    }

    private static bool IsInline(int xattrs, long size) =>
        size % ErofsFormat.BlockBytes is > 0 and var tail && ErofsFormat.InodeBytes + xattrs + tail <= ErofsFormat.BlockBytes;

    private static byte[] Xattrs(ImageDirectory info, string path) =>
        info.Xattrs is null ? [] : XattrBody.Encode(info.Xattrs, Layers.LayerFault.Show(path));

    private static long Number(long offset) => offset / ErofsFormat.SlotBytes;
}
