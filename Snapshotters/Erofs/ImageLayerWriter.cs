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
    private const int MaxTargetBytes = 4095;
    private const int NotFound = 2;
    private const int NameTooLong = 36;
    private readonly LayerLimits _limits = limits;
    private readonly TarBody _body = new(input);
    private readonly ImagePaths _paths = new(image, limits);
    private long _directoryXattrBytes;

    /// <summary>Attributes of all directories of a layer, which wait in memory.</summary>
    private const long MaxDirectoryXattrBytes = 1L << 26;

    protected override void Root(TarEntry entry) => Describe(entry, image.Tree.DirectoryOf(ImageTree.Root), "/");

    protected override void HideContent(string path, string shown) =>
        image.Tree.DirectoryOf(_paths.Directory(LayerPath.Split(path).Directory)).SetXattr(ImageMarks.Opaque, ImageMarks.Yes);

    protected override void HideName(string path, string name, string hidden, string shown)
    {
        var parent = _paths.Directory(LayerPath.Split(path).Directory);
        if (hidden.StartsWith(WhiteoutNames.Prefix, StringComparison.Ordinal) || Pending.ContainsKey(path[..^name.Length] + hidden))
        {
            return;
        }

        var bytes = Encoding.Latin1.GetBytes(hidden);
        if (image.Tree.Find(parent, bytes) is not { } own)
        {
            ImageEdits.AddWhiteout(image, parent, bytes);
            return;
        }

        // This layer made the name: only what lies below it is hidden.
        if (image.Tree.TypeOf(own) == EntryType.Directory)
        {
            var info = image.Tree.DirectoryOf(own);
            info.SetXattr(ImageMarks.Opaque, ImageMarks.Yes);
            info.IsImplied = false;
        }
    }

    protected override void Make(TarEntry entry, byte type, string path, string shown)
    {
        var (above, last) = LayerPath.Split(path);
        var parent = _paths.Directory(above);
        var name = Encoding.Latin1.GetBytes(last);
        Pending.Remove(path);
        EntryType? was = image.Tree.Find(parent, name) is { } old ? image.Tree.TypeOf(old) : null;
        if (was is not null && !(was == EntryType.Directory && type == (byte)'5'))
        {
            image.Tree.Remove(image.Tree.Find(parent, name)!.Value, node => image.Unlink(image.Tree.OffsetOf(node)));
            if (was == EntryType.Directory)
            {
                ForgetPending(path + "/");
            }

            _paths.Forget();
            parent = _paths.Directory(above);
        }

        switch (type)
        {
            case (byte)'1':
                HardLink(entry, path, parent, name, shown);
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
                image.Tree.Add(parent, name, inode.EntryType, image.PutEmpty(inode, Xattrs(entry, shown)));
                break;
        }
    }

    private void HardLink(TarEntry entry, string path, int parent, byte[] name, string shown)
    {
        var target = LayerPath.Clean(entry.LinkName, _limits);
        var (above, last) = LayerPath.Split(target);
        if (_paths.Find(above) is not { } from || image.Tree.Find(from, Encoding.Latin1.GetBytes(last)) is not { } found)
        {
            Pending[path] = target;
            return;
        }

        if (image.Tree.TypeOf(found) is EntryType.Directory or EntryType.Whiteout)
        {
            throw LayerFault.Corrupt($"'{shown}' links to '{LayerFault.Show(target)}', which is removed or a directory.");
        }

        ImageEdits.AddLink(image, parent, name, found);
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
        foreach (var (attribute, value) in Attributes(entry))
        {
            info.SetXattr(attribute, value);
            _directoryXattrBytes += attribute.Length + value.Length;
        }

        if (info.Xattrs is not null)
        {
            // What cannot be written must be refused now, by the entry's name.
            _ = XattrBody.Encode(info.Xattrs, shown);
        }

        if (_directoryXattrBytes > MaxDirectoryXattrBytes)
        {
            throw LayerFault.Limit("extended attribute bytes of directories");
        }
    }

    private long File(TarEntry entry, string shown)
    {
        var xattrs = Xattrs(entry, shown);
        _body.Shown = shown;
        return entry.Sparse is { } sparse
            ? image.PutSparse(Inode(entry, FileType.Regular), xattrs, sparse, _body)
            : image.PutBytes(Inode(entry, FileType.Regular), xattrs, entry.Size, _body);
    }

    private long Symlink(TarEntry entry, string shown)
    {
        var target = Encoding.Latin1.GetBytes(entry.LinkName);
        if (target.Length is 0 or > MaxTargetBytes)
        {
            throw KernelError.Of(target.Length == 0 ? NotFound : NameTooLong, $"create symbolic link '{shown}'");
        }

        return image.PutBytes(Inode(entry, FileType.Symlink), Xattrs(entry, shown), target.Length, new MemoryBytes(target));
    }

    private byte[] Xattrs(TarEntry entry, string shown)
    {
        if (entry.Xattrs.Count == 0)
        {
            return [];
        }

        Dictionary<byte[], byte[]> all = new(ByteOrder.Instance);
        foreach (var (attribute, value) in Attributes(entry))
        {
            all[attribute] = value;
        }

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
