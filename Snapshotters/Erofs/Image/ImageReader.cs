using System.Buffers.Binary;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>Reads images that we wrote, which a disk may have damaged since: what makes no sense is an error, never followed.</summary>
internal sealed class ImageReader : IDisposable
{
    private readonly SafeFileHandle _file;

    private ImageReader(SafeFileHandle file, Superblock super) => (_file, Super) = (file, super);

    public Superblock Super { get; }

    /// <summary>Opens an image.</summary>
    /// <exception cref="ImageStoreException">It is damaged (<see cref="ErrorKind.CorruptData"/>), not there, or the disk refuses.</exception>
    public static ImageReader Open(string path)
    {
        try
        {
            var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            try
            {
                var block = new byte[ErofsFormat.BlockBytes];
                Read(file, 0, block);
                var super = Superblock.Of(block);
                return super.Blocks * ErofsFormat.BlockBytes == RandomAccess.GetLength(file)
                    ? new ImageReader(file, super)
                    : throw ImageFault.Damaged("it has another length than it says");
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, "Opening a layer's image");
        }
    }

    /// <summary>The inode of a number.</summary>
    public ImageNode Node(long number)
    {
        if (number < ErofsFormat.RootNumber || number > Super.Blocks * ErofsFormat.BlockBytes / ErofsFormat.SlotBytes)
        {
            throw ImageFault.Damaged("an inode lies outside of it");
        }

        Span<byte> bytes = stackalloc byte[ErofsFormat.InodeBytes];
        Read(number * ErofsFormat.SlotBytes, bytes);
        return new ImageNode(number, ImageInode.Read(bytes));
    }

    /// <summary>What lies at a path, no link followed, or null.</summary>
    /// <param name="path">Clean, in Latin-1; empty for the root.</param>
    public ImageNode? Find(string path)
    {
        var node = Node(ErofsFormat.RootNumber);
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = System.Text.Encoding.Latin1.GetBytes(part);
            if (!node.Inode.IsDirectory || Child(node, name) is not { Type: not EntryType.None } found)
            {
                return null;
            }

            node = Node(found.Number);
        }

        return node;
    }

    // By halves, as the kernel does: one layer may ask for every name of a large directory below.
    private DirectoryEntry Child(ImageNode directory, byte[] name)
    {
        CheckDirectory(directory);
        var (low, high) = (0L, (directory.Inode.Size - 1) / ErofsFormat.BlockBytes);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var entries = Block(directory, middle * ErofsFormat.BlockBytes);
            if (name.AsSpan().SequenceCompareTo(entries[0].Name.Span) < 0)
            {
                high = middle - 1;
            }
            else if (name.AsSpan().SequenceCompareTo(entries[^1].Name.Span) > 0)
            {
                low = middle + 1;
            }
            else
            {
                return entries.Find(entry => entry.Name.Span.SequenceEqual(name));
            }
        }

        return default;
    }

    /// <summary>The names in a directory, without <c>.</c> and <c>..</c>.</summary>
    public IEnumerable<DirectoryEntry> Entries(ImageNode directory)
    {
        CheckDirectory(directory);
        for (long at = 0; at < directory.Inode.Size; at += ErofsFormat.BlockBytes)
        {
            foreach (var entry in Block(directory, at))
            {
                if (!entry.Name.Span.SequenceEqual("."u8) && !entry.Name.Span.SequenceEqual(".."u8))
                {
                    yield return entry;
                }
            }
        }
    }

    /// <summary>The attributes, by their names with NUL.</summary>
    public Dictionary<byte[], byte[]> Xattrs(ImageNode node)
    {
        var body = new byte[node.Inode.XattrBytes];
        Read((node.Number * ErofsFormat.SlotBytes) + ErofsFormat.InodeBytes, body);
        return XattrBody.Decode(body);
    }

    /// <summary>Reads data of a file, a link or a directory; holes are zeros.</summary>
    public void ReadData(ImageNode node, long offset, Span<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var (start, length) = Place(node, offset);
            var part = (int)Math.Min(length, (long)bytes.Length);
            if (part <= 0)
            {
                throw ImageFault.Damaged("a file is shorter than it says");
            }

            if (start < 0)
            {
                bytes[..part].Clear();
            }
            else
            {
                Read(start, bytes[..part]);
            }

            offset += part;
            bytes = bytes[part..];
        }
    }

    /// <summary>Where a sparse file has data, by its chunks.</summary>
    public IEnumerable<(long Offset, long Length)> Segments(ImageNode node)
    {
        var size = node.Inode.Size;
        for (long at = 0; at < size;)
        {
            var (start, length) = Place(node, at);
            if (length <= 0)
            {
                throw ImageFault.Damaged("a map of chunks is malformed");
            }

            if (start >= 0)
            {
                yield return (at, length);
            }

            at += length;
        }
    }

    public void Dispose() => _file.Dispose();

    private void CheckDirectory(ImageNode directory)
    {
        var inode = directory.Inode;
        if (!inode.IsDirectory || inode.Layout == DataLayout.Chunks || inode.Size > Super.Blocks * ErofsFormat.BlockBytes)
        {
            throw ImageFault.Damaged("a directory is malformed");
        }
    }

    private List<DirectoryEntry> Block(ImageNode directory, long at)
    {
        var block = new byte[(int)Math.Min(ErofsFormat.BlockBytes, directory.Inode.Size - at)];
        ReadData(directory, at, block);
        return DirectoryBlocks.Decode(block);
    }

    // Where the data at an offset are, -1 for a hole, and how far they go on there.
    private (long Start, long Length) Place(ImageNode node, long offset)
    {
        var (inode, own) = (node.Inode, node.Number * ErofsFormat.SlotBytes);
        var behind = own + ErofsFormat.InodeBytes + inode.XattrBytes;
        if (inode.Layout != DataLayout.Chunks)
        {
            var whole = inode.Layout == DataLayout.Inline ? inode.Size & ~(ErofsFormat.BlockBytes - 1L) : inode.Size;
            return offset < whole
                ? (((long)inode.Place * ErofsFormat.BlockBytes) + offset, whole - offset)
                : (behind + offset - whole, inode.Size - offset);
        }

        var bits = ErofsFormat.BlockBits + (int)(inode.Place & 0x1F);
        if (inode.Place > 0x1F || inode.Size > 1L << 62)
        {
            throw ImageFault.Damaged("a map of chunks is malformed");
        }

        Span<byte> entry = stackalloc byte[sizeof(uint)];
        Read(behind + (sizeof(uint) * (offset >> bits)), entry);
        var block = BinaryPrimitives.ReadUInt32LittleEndian(entry);
        var inChunk = offset & ((1L << bits) - 1);
        return (
            block == ErofsFormat.NoBlock ? -1 : ((long)block * ErofsFormat.BlockBytes) + inChunk,
            Math.Min((1L << bits) - inChunk, inode.Size - offset));
    }

    private void Read(long offset, Span<byte> bytes)
    {
        try
        {
            Read(_file, offset, bytes);
        }
        catch (IOException failure)
        {
            throw IoErrors.From(failure, "Reading a layer's image");
        }
    }

    private static void Read(SafeFileHandle file, long offset, Span<byte> bytes)
    {
        for (var done = 0; done < bytes.Length;)
        {
            var read = offset < 0 ? 0 : RandomAccess.Read(file, bytes[done..], offset + done);
            done += read > 0 ? read : throw ImageFault.Damaged("it is cut short");
        }
    }
}

/// <summary>An inode and its number.</summary>
internal readonly record struct ImageNode(long Number, ImageInode Inode);
