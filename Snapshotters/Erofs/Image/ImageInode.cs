using System.Buffers.Binary;
using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>An inode as it is on the disk, in the long form.</summary>
/// <param name="Mode">Type and permission bits.</param>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
/// <param name="Seconds">Modification time since the epoch.</param>
/// <param name="Nanoseconds">Its fraction.</param>
internal readonly record struct ImageInode(uint Mode, uint Uid, uint Gid, long Seconds, uint Nanoseconds)
{
    private const int LongForm = 1;
    private const int LayoutShift = 1;
    private const int LayoutMask = 7;

    /// <summary>Where the count of links is, from the inode's start.</summary>
    public const int LinksOffset = 44;

    /// <summary>Names that it has; of a directory two, and one for each directory in it.</summary>
    public uint Links { get; init; } = 1;

    /// <summary>Bytes of data.</summary>
    public long Size { get; init; }

    public DataLayout Layout { get; init; }

    /// <summary>The first block of the data, a device's number, or the form of the chunks.</summary>
    public uint Place { get; init; }

    /// <summary>The attributes' length, as the disk has it.</summary>
    public ushort XattrCount { get; init; }

    public uint Type => Mode & 0xF000;

    public bool IsDirectory => Type == FileType.Directory;

    public bool IsWhiteout => Type == FileType.CharDevice && Place == 0;

    public int XattrBytes => XattrBody.Bytes(XattrCount);

    public EntryType EntryType => Type switch
    {
        FileType.Directory => EntryType.Directory,
        FileType.CharDevice => IsWhiteout ? EntryType.Whiteout : EntryType.CharDevice,
        FileType.BlockDevice => EntryType.BlockDevice,
        FileType.Fifo => EntryType.Fifo,
        FileType.Socket => EntryType.Socket,
        FileType.Symlink => EntryType.Symlink,
        _ => EntryType.File,
    };

    public void Write(Span<byte> to)
    {
        to[..ErofsFormat.InodeBytes].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)(LongForm | ((int)Layout << LayoutShift)));
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], XattrCount);
        BinaryPrimitives.WriteUInt16LittleEndian(to[4..], (ushort)Mode);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], Size);
        BinaryPrimitives.WriteUInt32LittleEndian(to[16..], Place);
        BinaryPrimitives.WriteUInt32LittleEndian(to[24..], Uid);
        BinaryPrimitives.WriteUInt32LittleEndian(to[28..], Gid);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], Seconds);
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], Nanoseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(to[LinksOffset..], Links);
    }

    public static ImageInode Read(ReadOnlySpan<byte> from)
    {
        var format = BinaryPrimitives.ReadUInt16LittleEndian(from);
        var layout = (DataLayout)((format >> LayoutShift) & LayoutMask);
        var inode = new ImageInode(
            BinaryPrimitives.ReadUInt16LittleEndian(from[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[28..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[32..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[40..]))
        {
            Links = BinaryPrimitives.ReadUInt32LittleEndian(from[LinksOffset..]),
            Size = BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
            Layout = layout,
            Place = BinaryPrimitives.ReadUInt32LittleEndian(from[16..]),
            XattrCount = BinaryPrimitives.ReadUInt16LittleEndian(from[2..]),
        };
        return (format & LongForm) == 0 || (format >> 4) != 0 || layout is not (DataLayout.Plain or DataLayout.Inline or DataLayout.Chunks)
            || inode.Size < 0
                ? throw ImageFault.Damaged("an inode has a form that we never write")
                : inode;
    }
}
