using System.Text;
using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Makes the entries in an image: what they bring is written as they come, their names are kept until the end.</summary>
internal sealed class ImageLayerWriter(InflateRing input, ImageBuilder image, LayerLimits limits) : LayerWriter(input, limits)
{
    private const uint PermissionMask = 0xFFF;
    private const uint LinkMode = 0x1FF;
    private const int NameTooLong = 36;
    private readonly LayerLimits _limits = limits;
    private readonly TarBody _body = new(input);
    private readonly ImagePaths _paths = new(image, limits);
    private long _directoryXattrBytes;

    /// <summary>Attributes of all directories of a layer, which wait in memory.</summary>
    private const long MaxDirectoryXattrBytes = 1L << 26;

    /// <summary>Takes away what no tree is to have.</summary>
    public override void Finish()
    {
        if (HasAufsLinks && image.Tree.Find(ImageTree.Root, Encoding.Latin1.GetBytes(WhiteoutNames.AufsLinks)) is { } links)
        {
            image.Tree.Remove(links, node => image.Unlink(image.Tree.OffsetOf(node)));
            ForgetPending(WhiteoutNames.AufsLinks + "/");
            _paths.Forget();
        }
    }

    protected override string Real(string path) => _paths.Real(path);

    protected override void Root(TarEntry entry) => Describe(entry, image.Tree.DirectoryOf(ImageTree.Root), "/");

    protected override void HideContent(string path, string shown) =>
        image.Tree.DirectoryOf(_paths.Directory(LayerPath.Split(path).Directory)).SetXattr(ImageMarks.Opaque, ImageMarks.Yes);

    protected override bool HideName(string path, string hidden, string real, string shown)
    {
        var parent = _paths.Directory(LayerPath.Split(path).Directory);
        var bytes = Encoding.Latin1.GetBytes(hidden);
        if (image.Tree.Find(parent, bytes) is not { } own)
        {
            ImageEdits.AddWhiteout(image, parent, bytes);
            return true;
        }

        // This layer made the name: only what lies below it is hidden.
        if (image.Tree.TypeOf(own) == EntryType.Directory)
        {
            var info = image.Tree.DirectoryOf(own);
            info.SetXattr(ImageMarks.Opaque, ImageMarks.Yes);
            info.IsImplied = false;
        }

        return false;
    }

    protected override void Make(TarEntry entry, byte type, string path, string real, string shown)
    {
        var (above, last) = LayerPath.Split(path);
        var parent = _paths.Directory(above);
        var name = Encoding.Latin1.GetBytes(last);
        EntryType? was = image.Tree.Find(parent, name) is { } old ? image.Tree.TypeOf(old) : null;
        if (was is not null && !(was == EntryType.Directory && type == (byte)'5'))
        {
            image.Tree.Remove(image.Tree.Find(parent, name)!.Value, node => image.Unlink(image.Tree.OffsetOf(node)));
            if (was == EntryType.Directory)
            {
                ForgetPending(real + "/");
            }

            _paths.Forget();
            parent = _paths.Directory(above);
        }

        switch (type)
        {
            case (byte)'1':
                HardLink(entry, real, parent, name, shown);
                break;
            case (byte)'5':
                Directory(entry, parent, name, was, shown);
                break;
            case (byte)'0':
                image.Tree.Add(parent, name, EntryType.File, File(entry, shown));
                FileBytes += entry.Size;
                break;
            case (byte)'2':
                image.Tree.Add(parent, name, EntryType.Symlink, Symlink(entry, shown));
                break;
            default:
                CheckDevice(entry, type, shown);
                var kind = type == (byte)'3' ? FileType.CharDevice : type == (byte)'4' ? FileType.BlockDevice : FileType.Fifo;
                var inode = Inode(entry, kind) with { Place = kind == FileType.Fifo ? 0 : ImageEdits.Device(entry.Major, entry.Minor) };
                image.Tree.Add(parent, name, inode.EntryType, image.PutEmpty(inode, Xattrs(entry, inode, shown)));
                break;
        }
    }

    private void HardLink(TarEntry entry, string real, int parent, byte[] name, string shown)
    {
        var target = LayerPath.Clean(entry.LinkName, _limits);
        var (above, last) = LayerPath.Split(target);
        if (_paths.Find(above) is not { } from || image.Tree.Find(from, Encoding.Latin1.GetBytes(last)) is not { } found)
        {
            Pending[real] = new PendingLink(real, target, entry);
            return;
        }

        if (image.Tree.TypeOf(found) is EntryType.Directory or EntryType.Whiteout)
        {
            throw LayerFault.Corrupt($"'{shown}' links to '{LayerFault.Show(target)}', which is removed or a directory.");
        }

        ImageEdits.AddLink(image, parent, name, found);
        if (!WhiteoutNames.IsAufs(target))
        {
            ImageEdits.Describe(image, found, entry, shown);
        }
    }

    private void Directory(TarEntry entry, int parent, byte[] name, EntryType? was, string shown)
    {
        var node = was == EntryType.Directory ? image.Tree.Find(parent, name)!.Value : image.Tree.AddDirectory(parent, name);
        var info = image.Tree.DirectoryOf(node);
        Describe(entry, info, shown);
        info.IsImplied = false;
        if (was is not (null or EntryType.Directory))
        {
            info.SetXattr(ImageMarks.Opaque, ImageMarks.Yes);
        }
    }

    private void Describe(TarEntry entry, ImageDirectory info, string shown)
    {
        (info.Mode, info.Uid, info.Gid, info.Seconds, info.Nanoseconds) =
            (entry.Mode & PermissionMask, entry.Uid, entry.Gid, entry.Seconds, entry.Nanoseconds);
        if (info.Xattrs is null && entry.Xattrs.Count == 0)
        {
            return;
        }

        Dictionary<byte[], byte[]> all = info.Xattrs ?? new(ByteOrder.Instance);
        ImageXattrs.Add(all, entry, FileType.Directory | info.Mode, shown);
        info.Xattrs = all.Count > 0 ? all : null;

        // What cannot be written must be refused now, by the entry's name.
        _directoryXattrBytes += entry.Xattrs.Count > 0 ? XattrBody.Encode(all, shown).Length : 0;
        if (_directoryXattrBytes > MaxDirectoryXattrBytes)
        {
            throw ImageFault.Limit("bytes of extended attributes of directories", MaxDirectoryXattrBytes);
        }
    }

    private long File(TarEntry entry, string shown)
    {
        var inode = Inode(entry, FileType.Regular);
        var xattrs = Xattrs(entry, inode, shown);
        _body.Shown = shown;
        return entry.Sparse is { } sparse
            ? image.PutSparse(inode, xattrs, sparse, _body)
            : image.PutBytes(inode, xattrs, entry.Size, _body);
    }

    private long Symlink(TarEntry entry, string shown)
    {
        var target = Encoding.Latin1.GetBytes(entry.LinkName);
        if (target.Length > LayerPath.MaxTargetBytes)
        {
            throw KernelError.Of(NameTooLong, $"create symbolic link '{shown}'");
        }

        var inode = Inode(entry, FileType.Symlink);
        return image.PutBytes(inode, Xattrs(entry, inode, shown), target.Length, new MemoryBytes(target));
    }

    private static byte[] Xattrs(TarEntry entry, ImageInode inode, string shown)
    {
        if (entry.Xattrs.Count == 0)
        {
            return [];
        }

        Dictionary<byte[], byte[]> all = new(ByteOrder.Instance);
        ImageXattrs.Add(all, entry, inode.Mode, shown);
        return XattrBody.Encode(all, shown);
    }

    private static ImageInode Inode(TarEntry entry, uint type) => new(
        type | (type == FileType.Symlink ? LinkMode : entry.Mode & PermissionMask), entry.Uid, entry.Gid, entry.Seconds, entry.Nanoseconds);

    private sealed class TarBody(InflateRing input) : IFileBytes
    {
        public string Shown { get; set; } = string.Empty;

        public ReadOnlySpan<byte> Take(long max) => input.Take(max) is { IsEmpty: false } part
            ? part : throw LayerFault.Corrupt($"the tar ends inside '{Shown}'.");
    }
}
