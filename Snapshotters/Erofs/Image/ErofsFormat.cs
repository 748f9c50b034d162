namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>The numbers of the on-disk format that our images use.</summary>
/// <remarks><see href="https://docs.kernel.org/filesystems/erofs.html"/>, "On-disk details".</remarks>
internal static class ErofsFormat
{
    public const int BlockBits = 12;
    public const int BlockBytes = 1 << BlockBits;

    /// <summary>An inode's number counts slots of so many bytes from the start of the image.</summary>
    public const int SlotBytes = 32;

    /// <summary>The long form, which has all of a file's times, owners and links.</summary>
    public const int InodeBytes = 64;

    public const int DirentBytes = 12;

    /// <summary>The root's inode has the second block for itself: the superblock has but 16 bits for its number.</summary>
    public const long RootOffset = BlockBytes;

    /// <summary>A block that a file's map has no data for.</summary>
    public const uint NoBlock = uint.MaxValue;

    /// <summary>So many blocks can be named.</summary>
    public const long MaxBlocks = uint.MaxValue - 1L;

    public static long RootNumber => RootOffset / SlotBytes;

    public static long RoundUp(long bytes, int unit) => (bytes + unit - 1) / unit * unit;
}

/// <summary>How an inode says where its data is.</summary>
internal enum DataLayout
{
    /// <summary>In whole blocks.</summary>
    Plain = 0,

    /// <summary>In whole blocks, and what is left over behind the inode.</summary>
    Inline = 2,

    /// <summary>In chunks that a map behind the inode names, or does not.</summary>
    Chunks = 4,
}

/// <summary>What a name in a directory stands for.</summary>
internal enum EntryType : byte
{
    None = 0,
    File = 1,
    Directory = 2,
    CharDevice = 3,
    BlockDevice = 4,
    Fifo = 5,
    Socket = 6,
    Symlink = 7,

    /// <summary>overlayfs' whiteout. Only ours: on the disk it is a character device.</summary>
    Whiteout = 0x80,
}
