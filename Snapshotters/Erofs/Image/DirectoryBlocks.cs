using System.Buffers.Binary;

namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>A directory's data: in each block the entries, then their names; sorted, so that the kernel can search by halves.</summary>
internal static class DirectoryBlocks
{
    /// <summary>How long the data are; <paramref name="names"/> are the lengths of the names in their order.</summary>
    public static long Size(IEnumerable<int> names)
    {
        long blocks = 0;
        var used = 0;
        foreach (var name in names)
        {
            if (used + ErofsFormat.DirentBytes + name > ErofsFormat.BlockBytes)
            {
                blocks++;
                used = 0;
            }

            used += ErofsFormat.DirentBytes + name;
        }

        return (blocks * ErofsFormat.BlockBytes) + used;
    }

    /// <summary>Writes the data, whose last block ends where the last name does.</summary>
    public static byte[] Encode(IReadOnlyList<DirectoryEntry> entries)
    {
        var data = new byte[Size(entries.Select(entry => entry.Name.Length))];
        var block = data.AsSpan();
        for (var first = 0; first < entries.Count;)
        {
            var (count, used) = (0, 0);
            while (first + count < entries.Count
                && used + ErofsFormat.DirentBytes + entries[first + count].Name.Length <= ErofsFormat.BlockBytes)
            {
                used += ErofsFormat.DirentBytes + entries[first + count].Name.Length;
                count++;
            }

            var name = count * ErofsFormat.DirentBytes;
            for (var i = 0; i < count; i++)
            {
                var entry = entries[first + i];
                var dirent = block[(i * ErofsFormat.DirentBytes)..];
                BinaryPrimitives.WriteInt64LittleEndian(dirent, entry.Number);
                BinaryPrimitives.WriteUInt16LittleEndian(dirent[8..], (ushort)name);
                dirent[10] = (byte)(entry.Type == EntryType.Whiteout ? EntryType.CharDevice : entry.Type);
                entry.Name.Span.CopyTo(block[name..]);
                name += entry.Name.Length;
            }

            first += count;
            block = first < entries.Count ? block[ErofsFormat.BlockBytes..] : [];
        }

        return data;
    }

    /// <summary>The entries in one block, <c>.</c> and <c>..</c> among them.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The block is damaged.</exception>
    public static List<DirectoryEntry> Decode(ReadOnlyMemory<byte> memory)
    {
        var block = memory.Span;
        var first = block.Length < ErofsFormat.DirentBytes ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(block[8..]);
        if (first < ErofsFormat.DirentBytes || first % ErofsFormat.DirentBytes != 0 || first > block.Length)
        {
            throw Damaged();
        }

        List<DirectoryEntry> entries = [];
        for (var at = 0; at < first; at += ErofsFormat.DirentBytes)
        {
            var start = BinaryPrimitives.ReadUInt16LittleEndian(block[(at + 8)..]);
            var isLast = at + ErofsFormat.DirentBytes == first;
            var end = isLast ? block.Length : BinaryPrimitives.ReadUInt16LittleEndian(block[(at + ErofsFormat.DirentBytes + 8)..]);
            if (start < first || end > block.Length || end <= start)
            {
                throw Damaged();
            }

            var name = memory[start..end];
            var zero = isLast ? name.Span.IndexOf((byte)0) : -1;
            name = zero < 0 ? name : name[..zero];
            var type = (EntryType)block[at + 10];
            if (name.Length is 0 or > Layers.LayerPath.MaxNameBytes || name.Span.ContainsAny((byte)0, (byte)'/')
                || type is < EntryType.File or > EntryType.Symlink)
            {
                throw Damaged();
            }

            entries.Add(new DirectoryEntry(name, BinaryPrimitives.ReadInt64LittleEndian(block[at..]), type));
        }

        return entries;
    }

    private static Store.Errors.ImageStoreException Damaged() => ImageFault.Damaged("a directory is malformed");
}

/// <summary>A name in a directory, the number of what it stands for, and its kind.</summary>
internal readonly record struct DirectoryEntry(ReadOnlyMemory<byte> Name, long Number, EntryType Type);
