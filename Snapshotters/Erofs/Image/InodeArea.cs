namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>Packs inodes, with their attributes and the ends of their data, into blocks between the files' blocks.</summary>
/// <remarks>
/// No piece may cross a block. Several blocks are open at once and each piece goes where it leaves least, so that little is
/// wasted: the ends of files are of any length.
/// </remarks>
internal sealed class InodeArea(ImageFile file)
{
    private const int MaxOpen = 16;
    private readonly List<OpenBlock> _open = [];

    /// <summary>Writes a piece, of at most a block.</summary>
    /// <returns>Where it begins, a whole number of slots.</returns>
    public long Put(ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail)
    {
        var bytes = (int)ErofsFormat.RoundUp(head.Length + tail.Length, ErofsFormat.SlotBytes);
        var block = Fitting(bytes) ?? Open();
        var at = block.Used;
        head.CopyTo(block.Data.AsSpan(at));
        tail.CopyTo(block.Data.AsSpan(at + head.Length));
        block.Used += bytes;
        if (block.Used == ErofsFormat.BlockBytes)
        {
            Close(block);
        }

        return block.Offset + at;
    }

    /// <summary>Reads what was put, of one piece.</summary>
    public void Read(long offset, Span<byte> bytes)
    {
        if (_open.Find(block => offset >= block.Offset && offset < block.Offset + ErofsFormat.BlockBytes) is { } open)
        {
            open.Data.AsSpan((int)(offset - open.Offset), bytes.Length).CopyTo(bytes);
        }
        else
        {
            file.ReadAt(offset, bytes);
        }
    }

    /// <summary>Writes again what was put, of one piece.</summary>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        if (_open.Find(block => offset >= block.Offset && offset < block.Offset + ErofsFormat.BlockBytes) is { } open)
        {
            bytes.CopyTo(open.Data.AsSpan((int)(offset - open.Offset)));
        }
        else
        {
            file.WriteAt(offset, bytes);
        }
    }

    /// <summary>Writes the blocks that are open.</summary>
    public void Finish()
    {
        _open.ForEach(block => file.WriteAt(block.Offset, block.Data));
        _open.Clear();
    }

    private OpenBlock? Fitting(int bytes)
    {
        OpenBlock? best = null;
        foreach (var block in _open)
        {
            if (ErofsFormat.BlockBytes - block.Used >= bytes && (best is null || block.Used > best.Used))
            {
                best = block;
            }
        }

        return best;
    }

    private OpenBlock Open()
    {
        if (_open.Count == MaxOpen)
        {
            Close(_open.MaxBy(block => block.Used)!);
        }

        var data = new byte[ErofsFormat.BlockBytes];
        var block = new OpenBlock(file.End, data);
        file.Append(data);
        _open.Add(block);
        return block;
    }

    private void Close(OpenBlock block)
    {
        file.WriteAt(block.Offset, block.Data);
        _open.Remove(block);
    }

    private sealed class OpenBlock(long offset, byte[] data)
    {
        public long Offset { get; } = offset;

        public byte[] Data { get; } = data;

        public int Used { get; set; }
    }
}
