using System.Buffers.Binary;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>Decides where a file's bytes go, and puts them there.</summary>
internal sealed class FileBodies(ImageFile file, InodeArea inodes, bool hasChunks)
{
    /// <summary>So many chunks a sparse file may have: their map then fits behind the inode.</summary>
    private const int MaxChunks = 512;
    private const int MapEntryBytes = 4;
    private readonly byte[] _tail = new byte[ErofsFormat.BlockBytes];

    /// <summary>Was a file with a map of chunks written?</summary>
    public bool HasChunks { get; private set; } = hasChunks;

    /// <summary>Writes whole blocks in a row, and what is left over behind the inode where it fits.</summary>
    public long Put(ImageInode inode, byte[] xattrs, long size, IFileBytes bytes)
    {
        var tail = (int)(size & (ErofsFormat.BlockBytes - 1));
        var isInline = tail > 0 && ErofsFormat.InodeBytes + xattrs.Length + tail <= ErofsFormat.BlockBytes;
        var whole = isInline ? size - tail : size;
        inode = inode with
        {
            Size = size,
            Layout = isInline ? DataLayout.Inline : DataLayout.Plain,
            Place = whole == 0 ? 0 : (uint)(file.End / ErofsFormat.BlockBytes),
        };
        for (var left = whole; left > 0;)
        {
            var part = bytes.Take(left);
            file.Append(part);
            left -= part.Length;
        }

        file.Align();
        return PutInode(inode, xattrs, isInline ? Tail(bytes, tail) : []);
    }

    /// <summary>Writes chunks that have data, of a size by which there are not too many; holes inside of them stay holes on the disk.</summary>
    public long PutSparse(ImageInode inode, byte[] xattrs, SparseMap map, IFileBytes bytes)
    {
        var bits = ErofsFormat.BlockBits;
        while ((map.RealSize - 1) >> bits >= MaxChunks)
        {
            bits++;
        }

        var blocks = new uint[map.RealSize == 0 ? 0 : ((map.RealSize - 1) >> bits) + 1];
        Array.Fill(blocks, ErofsFormat.NoBlock);
        var end = file.End;
        foreach (var (offset, length) in map.Segments.Where(segment => segment.Length > 0))
        {
            for (var chunk = offset >> bits; chunk <= (offset + length - 1) >> bits; chunk++)
            {
                if (blocks[chunk] == ErofsFormat.NoBlock)
                {
                    blocks[chunk] = (uint)(end / ErofsFormat.BlockBytes);
                    end += Math.Min(1L << bits, ErofsFormat.RoundUp(map.RealSize - (chunk << bits), ErofsFormat.BlockBytes));
                }
            }
        }

        file.Skip(end - file.End);
        foreach (var (offset, length) in map.Segments)
        {
            Fill(blocks, bits, offset, length, bytes);
        }

        HasChunks |= blocks.Length > 0;
        var table = new byte[blocks.Length * MapEntryBytes];
        for (var i = 0; i < blocks.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(i * MapEntryBytes), blocks[i]);
        }

        return PutInode(
            inode with
            {
                Size = map.RealSize,
                Layout = blocks.Length > 0 ? DataLayout.Chunks : DataLayout.Plain,
                Place = blocks.Length > 0 ? (uint)(bits - ErofsFormat.BlockBits) : 0,
            },
            xattrs,
            table);
    }

    /// <summary>Writes an inode with other attributes once more; its data stay where they are, but for those behind it.</summary>
    /// <returns>Where it is now.</returns>
    public long Move(long from, ImageInode inode, byte[] xattrs)
    {
        var behind = new byte[inode.Layout switch
        {
            DataLayout.Inline => inode.Size & (ErofsFormat.BlockBytes - 1),
            DataLayout.Chunks => (((inode.Size - 1) >> (ErofsFormat.BlockBits + (int)inode.Place)) + 1) * MapEntryBytes,
            _ => 0,
        }];
        inodes.Read(from + ErofsFormat.InodeBytes + inode.XattrBytes, behind);
        if (inode.Layout == DataLayout.Inline && ErofsFormat.InodeBytes + xattrs.Length + behind.Length > ErofsFormat.BlockBytes)
        {
            // The end of the data must be in one block with the inode or behind the rest of them.
            return Put(inode, xattrs, inode.Size, new WrittenBytes(file, (long)inode.Place * ErofsFormat.BlockBytes, inode.Size - behind.Length, behind));
        }

        return PutInode(inode, xattrs, behind);
    }

    /// <summary>Writes the inode, its attributes and what is to follow them.</summary>
    public long PutInode(ImageInode inode, byte[] xattrs, ReadOnlySpan<byte> tail)
    {
        Span<byte> head = xattrs.Length == 0 ? stackalloc byte[ErofsFormat.InodeBytes] : new byte[ErofsFormat.InodeBytes + xattrs.Length];
        (inode with { XattrCount = XattrBody.Count(xattrs.Length) }).Write(head);
        xattrs.CopyTo(head[ErofsFormat.InodeBytes..]);
        if (head.Length + tail.Length <= ErofsFormat.BlockBytes)
        {
            return inodes.Put(head, tail);
        }

        // Attributes, and maps behind them, may go over several blocks.
        var offset = file.End;
        file.Append(head);
        file.Append(tail);
        file.Align();
        return offset;
    }

    private void Fill(uint[] blocks, int bits, long offset, long length, IFileBytes bytes)
    {
        for (var end = offset + length; offset < end;)
        {
            var inChunk = offset & ((1L << bits) - 1);
            var part = bytes.Take(Math.Min(end - offset, (1L << bits) - inChunk));
            file.WriteAt(((long)blocks[offset >> bits] * ErofsFormat.BlockBytes) + inChunk, part);
            offset += part.Length;
        }
    }

    private sealed class WrittenBytes(ImageFile file, long start, long whole, byte[] end) : IFileBytes
    {
        private const int BufferBytes = 1 << 18;
        private readonly byte[] _buffer = new byte[Math.Min(BufferBytes, whole)];
        private long _done;

        public ReadOnlySpan<byte> Take(long max)
        {
            if (_done >= whole)
            {
                var rest = end.AsSpan((int)(_done - whole));
                rest = rest[..(int)Math.Min(max, rest.Length)];
                _done += rest.Length;
                return rest;
            }

            var part = _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, Math.Min(max, whole - _done)));
            file.ReadAt(start + _done, part);
            _done += part.Length;
            return part;
        }
    }

    private ReadOnlySpan<byte> Tail(IFileBytes bytes, int length)
    {
        for (var done = 0; done < length;)
        {
            var part = bytes.Take(length - done);
            part.CopyTo(_tail.AsSpan(done));
            done += part.Length;
        }

        return _tail.AsSpan(0, length);
    }
}
