using System.Buffers.Binary;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>Writes an image in one pass: each file's data and inode as it comes, then the directories, then what describes it all.</summary>
/// <remarks>
/// The same calls give the same bytes: there is no clock and no chance in an image. What was replaced stays as bytes that nothing
/// names. In memory are the names and the directories only, never a file.
/// </remarks>
internal sealed class ImageBuilder : IDisposable
{
    private readonly ImageFile _file;
    private readonly InodeArea _inodes;
    private readonly FileBodies _bodies;
    private readonly Dictionary<long, uint> _links = [];

    // What grew had to be written elsewhere; its names know it by where it was first.
    private readonly Dictionary<long, long> _moved = [];
    private readonly bool _isContinued;
    private long _named;

    private ImageBuilder(ImageFile file, ImageTree tree, long named, bool hasChunks, bool isContinued)
    {
        (_file, Tree, _named, _isContinued) = (file, tree, named, isContinued);
        _inodes = new InodeArea(file);
        _bodies = new FileBodies(file, _inodes, hasChunks);
    }

    /// <summary>The names; directories may be changed until <see cref="Finish"/>.</summary>
    public ImageTree Tree { get; }

    /// <summary>Begins an image that must not be there yet.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The disk refuses.</exception>
    public static ImageBuilder Create(string path)
    {
        var file = ImageFile.Create(path);
        file.Append(new byte[ErofsFormat.RootOffset + ErofsFormat.BlockBytes]);
        return new ImageBuilder(file, new ImageTree(), 0, hasChunks: false, isContinued: false);
    }

    /// <summary>Goes on with an image that was finished: its directories are cut off and will be written again.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The image is damaged, or the disk refuses.</exception>
    public static ImageBuilder Continue(string path, CancellationToken cancellationToken)
    {
        using var reader = ImageReader.Open(path);
        var (tree, directories) = ImageTreeLoader.Load(reader, cancellationToken);
        var super = reader.Super;
        var file = ImageFile.Continue(path, super.DirectoryBlock * ErofsFormat.BlockBytes);
        return new ImageBuilder(file, tree, super.Inodes - directories, super.HasChunks, isContinued: true);
    }

    /// <summary>Writes a file that consumes <paramref name="size"/> bytes, or a link's target, and returns where its inode is.</summary>
    public long PutBytes(ImageInode inode, byte[] xattrs, long size, IFileBytes bytes)
    {
        _named++;
        return _bodies.Put(inode, xattrs, size, bytes);
    }

    /// <summary>Writes a file with holes, which consumes the bytes of the segments.</summary>
    public long PutSparse(ImageInode inode, byte[] xattrs, SparseMap map, IFileBytes bytes)
    {
        _named++;
        return _bodies.PutSparse(inode, xattrs, map, bytes);
    }

    /// <summary>Writes what has no data.</summary>
    public long PutEmpty(ImageInode inode, byte[] xattrs)
    {
        _named++;
        return _bodies.PutInode(inode, xattrs, []);
    }

    /// <summary>Counts one name more of an inode.</summary>
    public void Link(long offset) => _links[offset] = Links(offset) + 1;

    /// <summary>Counts one name less.</summary>
    public void Unlink(long offset)
    {
        if (_links.TryGetValue(offset, out var links) && links > 1)
        {
            _links[offset] = links - 1;
        }
        else
        {
            _links.Remove(offset);
            _named--;
        }
    }

    /// <summary>The target of a symbolic link of this image.</summary>
    public byte[] ReadTarget(long offset)
    {
        offset = At(offset);
        var inode = Inode(offset);
        var target = new byte[inode.Size];
        if (inode.Layout == DataLayout.Inline)
        {
            _inodes.Read(offset + ErofsFormat.InodeBytes + inode.XattrBytes, target);
        }
        else
        {
            _file.ReadAt((long)inode.Place * ErofsFormat.BlockBytes, target);
        }

        return target;
    }

    /// <summary>Gives what is no directory other metadata and attributes, by all of its names.</summary>
    /// <param name="offset">Where its inode was put.</param>
    /// <param name="change">Gets what it has, and may change the attributes; their names end with NUL.</param>
    /// <param name="shown">What errors call it.</param>
    public void Change(long offset, Func<ImageInode, Dictionary<byte[], byte[]>, ImageInode> change, string shown)
    {
        var at = At(offset);
        var inode = Inode(at);
        var before = new byte[inode.XattrBytes];
        _inodes.Read(at + ErofsFormat.InodeBytes, before);
        var attributes = XattrBody.Decode(before);
        inode = change(inode, attributes);
        var after = XattrBody.Encode(attributes, shown);
        if (after.Length != before.Length)
        {
            _moved[offset] = _bodies.Move(at, inode, after);
            return;
        }

        var head = new byte[ErofsFormat.InodeBytes + after.Length];
        inode.Write(head);
        after.CopyTo(head, ErofsFormat.InodeBytes);
        _inodes.Write(at, head);
    }

    /// <summary>Writes the directories and the superblock.</summary>
    public void Finish(CancellationToken cancellationToken)
    {
        _inodes.Finish();
        foreach (var (offset, links) in _links.Where(pair => pair.Value > 1))
        {
            var bytes = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, links);
            _file.WriteAt(At(offset) + ImageInode.LinksOffset, bytes);
        }

        var start = _file.End / ErofsFormat.BlockBytes;
        var directories = new DirectoryArea(_file, Tree, At).Write(cancellationToken);
        var super = new Superblock(_named + directories, _file.End / ErofsFormat.BlockBytes, start, _file.Id, _bodies.HasChunks);
        _file.WriteAt(0, super.ToBlock());
        _file.Finish();
    }

    public void Dispose() => _file.Dispose();

    private uint Links(long offset)
    {
        if (_links.TryGetValue(offset, out var links) || !_isContinued)
        {
            return Math.Max(links, 1);
        }

        return Inode(At(offset)).Links;
    }

    private long At(long offset) => _moved.GetValueOrDefault(offset, offset);

    private ImageInode Inode(long at)
    {
        Span<byte> head = stackalloc byte[ErofsFormat.InodeBytes];
        _inodes.Read(at, head);
        return ImageInode.Read(head);
    }
}
