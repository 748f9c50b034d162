using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Writes the upper directory of a snapshot as an image, with the marks by which overlayfs hides what is below.</summary>
internal sealed class DirectoryImage
{
    private const int BlockBytes = 512;
    private const uint PermissionMask = 0xFFF;
    private readonly ImageBuilder _image;
    private readonly CancellationToken _cancellationToken;
    private readonly Dictionary<(uint, uint, ulong), int> _linked = [];

    private DirectoryImage(ImageBuilder image, CancellationToken cancellationToken) => (_image, _cancellationToken) = (image, cancellationToken);

    /// <summary>Writes all of <paramref name="directory"/> into the image at <paramref name="path"/>, which must not be there.</summary>
    /// <exception cref="ImageStoreException">Something has no place in an image (<see cref="ErrorKind.FailedPrecondition"/>), or the disk refuses.</exception>
    public static void Write(string directory, string path, CancellationToken cancellationToken)
    {
        using var image = ImageBuilder.Create(path);
        using var root = OpenAt.HostDirectory(directory);
        var status = Status(root, [0], "/");
        new DirectoryImage(image, cancellationToken).Fill(root, ImageTree.Root, status, string.Empty, 1);
        image.Finish(cancellationToken);
    }

    private void Fill(SafeFileHandle directory, int node, FileStatus status, string path, int depth)
    {
        if (depth > LayerLimits.GreatestDepth)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded,
                $"A snapshot has more than {LayerLimits.GreatestDepth} directories in each other, and cannot become an image.",
                "Remove them in the snapshot that has them.");
        }

        var info = _image.Tree.DirectoryOf(node);
        (info.Mode, info.Uid, info.Gid, info.Seconds, info.Nanoseconds) =
            (status.Mode & PermissionMask, status.Uid, status.Gid, status.ModifyTime.Seconds, status.ModifyTime.Nanoseconds);
        foreach (var (attribute, value) in Xattrs(directory, RootedPath.Name("."), path))
        {
            info.SetXattr(attribute, value);
        }

        // Sorted, so that equal trees give equal images.
        foreach (var name in Store.Interop.DirectoryEntries.Read(directory).Order(ByteOrder.Instance))
        {
            _cancellationToken.ThrowIfCancellationRequested();
            var below = $"{path}/{System.Text.Encoding.Latin1.GetString(name)[..^1]}";
            Add(directory, name, node, below, depth);
        }
    }

    private void Add(SafeFileHandle directory, byte[] name, int parent, string path, int depth)
    {
        var status = Status(directory, name, path);
        var bare = name.AsSpan(0, name.Length - 1);
        if (status.Type == FileType.Directory)
        {
            using var child = OpenAt.Directory(directory, name) ?? throw KernelError.Last($"open '{LayerFault.Show(path)}'");
            Fill(child, _image.Tree.AddDirectory(parent, bare), status, path, depth + 1);
            return;
        }

        var identity = (status.DevMajor, status.DevMinor, status.Inode);
        if (status.LinkCount > 1 && _linked.TryGetValue(identity, out var first))
        {
            ImageEdits.AddLink(_image, parent, bare, first);
            return;
        }

        var inode = new ImageInode(status.Mode, status.Uid, status.Gid, status.ModifyTime.Seconds, status.ModifyTime.Nanoseconds)
        {
            Place = status.Type is FileType.CharDevice or FileType.BlockDevice ? ImageEdits.Device(status.RdevMajor, status.RdevMinor) : 0,
        };
        var node = _image.Tree.Add(parent, bare, inode.EntryType, Put(directory, name, status, inode, path));
        if (status.LinkCount > 1)
        {
            _linked[identity] = node;
        }
    }

    private long Put(SafeFileHandle directory, byte[] name, FileStatus status, ImageInode inode, string path)
    {
        var shown = LayerFault.Show(path);
        Dictionary<byte[], byte[]> all = new(ByteOrder.Instance);
        foreach (var (attribute, value) in Xattrs(directory, name, path))
        {
            all[attribute] = value;
        }

        var xattrs = XattrBody.Encode(all, shown);
        switch (status.Type)
        {
            case FileType.Symlink:
                var target = NameAt.ReadLink(directory, name, shown);
                return _image.PutBytes(inode, xattrs, target.Length, new MemoryBytes(target));
            case FileType.Regular:
                using (var file = OpenAt.Read(directory, name) ?? throw KernelError.Last($"open '{shown}'"))
                {
                    var size = (long)status.Size;
                    if ((long)status.Blocks * BlockBytes >= size)
                    {
                        return _image.PutBytes(inode, xattrs, size, new OpenFileBytes(file, [(0, size)], shown));
                    }

                    var segments = Segments(file, size, shown);
                    return _image.PutSparse(inode, xattrs, new SparseMap(size, segments), new OpenFileBytes(file, segments, shown));
                }

            default:
                return _image.PutEmpty(inode, xattrs);
        }
    }

    private static List<(long Offset, long Length)> Segments(SafeFileHandle file, long size, string shown)
    {
        List<(long, long)> segments = [];
        for (long at = 0; at < size;)
        {
            var (start, end) = FileHoles.NextData(file, at, size, shown);
            if (end > start)
            {
                segments.Add((start, end - start));
            }

            at = end;
        }

        return segments;
    }

    // Of overlayfs' own state only what hides stays: the rest is of the mount that the directory was the top of.
    private static IEnumerable<(byte[] Name, byte[] Value)> Xattrs(SafeFileHandle directory, byte[] name, string path)
    {
        foreach (var attribute in Xattr.List(directory, name))
        {
            if (attribute.AsSpan().SequenceEqual("trusted.overlay.redirect\0"u8) || attribute.AsSpan().SequenceEqual("trusted.overlay.metacopy\0"u8))
            {
                throw new ImageStoreException(
                    ErrorKind.FailedPrecondition,
                    $"'{LayerFault.Show(path)}' has its content in a layer below by another name, which no image can hold.",
                    "Mount the snapshot without redirect_dir and metacopy before it is changed.");
            }

            if ((attribute.AsSpan().SequenceEqual(ImageMarks.Opaque) || !OverlayAttributes.Owns(attribute))
                && Xattr.Get(directory, name, attribute) is { } value)
            {
                yield return (attribute, value);
            }
        }
    }

    private static FileStatus Status(SafeFileHandle directory, byte[] name, string path)
    {
        var handle = (int)directory.DangerousGetHandle();
        var errno = name is [0] ? FileStatus.ReadOpen(handle, out var status) : FileStatus.ReadAt(handle, name, out status);
        return errno == 0 ? status : throw Errno.ToException(errno, $"'{LayerFault.Show(path)}' cannot be read");
    }

    private sealed class OpenFileBytes(SafeFileHandle file, IReadOnlyList<(long Offset, long Length)> segments, string shown) : IFileBytes
    {
        private const int BufferBytes = 1 << 18;
        private readonly byte[] _buffer = new byte[BufferBytes];
        private int _segment;
        private long _done;

        public ReadOnlySpan<byte> Take(long max)
        {
            while (_done == segments[_segment].Length)
            {
                (_segment, _done) = (_segment + 1, 0);
            }

            var (offset, length) = segments[_segment];
            try
            {
                var read = RandomAccess.Read(file, _buffer.AsSpan(0, (int)Math.Min(BufferBytes, Math.Min(max, length - _done))), offset + _done);
                _done += read;
                return read > 0 ? _buffer.AsSpan(0, read) : throw new ImageStoreException(
                    ErrorKind.FailedPrecondition, $"'{shown}' was cut short while it was read.", "Unmount the snapshot before it is committed.");
            }
            catch (IOException failure)
            {
                throw IoErrors.From(failure, $"Reading {shown}");
            }
        }
    }
}
