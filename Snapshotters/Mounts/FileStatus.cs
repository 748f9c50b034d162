using System.Runtime.InteropServices;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>The kernel's statx record; its layout is the same on every architecture.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal partial struct FileStatus
{
    public const ulong AttributeMountRoot = 0x2000;

    private const int AtCurrentDirectory = -100;
    private const int AtNoFollow = 0x100;
    private const int AtEmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const uint TypeMask = 0xF000;

    public uint Mask;
    public uint BlockSize;
    public ulong Attributes;
    public uint LinkCount;
    public uint Uid;
    public uint Gid;
    public ushort Mode;
    public ushort Spare0;
    public ulong Inode;
    public ulong Size;
    public ulong Blocks;
    public ulong AttributesMask;
    public FileTime AccessTime;
    public FileTime BirthTime;
    public FileTime ChangeTime;
    public FileTime ModifyTime;
    public uint RdevMajor;
    public uint RdevMinor;
    public uint DevMajor;
    public uint DevMinor;

    public readonly uint Type => Mode & TypeMask;

    /// <summary>Are both one file, under whatever names?</summary>
    public readonly bool IsSameFile(in FileStatus other) =>
        (DevMajor, DevMinor, Inode) == (other.DevMajor, other.DevMinor, other.Inode);

    /// <summary>Reads the status of a path itself, not of what a link points to; returns an error number or 0.</summary>
    public static int Read(string path, out FileStatus status) =>
        Statx(AtCurrentDirectory, path, AtNoFollow, BasicStats, out status) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>The same for a name in an open directory.</summary>
    public static int ReadAt(int directory, byte[] name, out FileStatus status) =>
        StatxAt(directory, name, AtNoFollow, BasicStats, out status) == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, out FileStatus status);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int StatxAt(int directory, byte[] path, int flags, uint mask, out FileStatus status);

    /// <summary>The same for what a handle is open on.</summary>
    public static int ReadOpen(int handle, out FileStatus status) =>
        StatxAt(handle, [0], AtEmptyPath, BasicStats, out status) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>A time as statx has it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct FileTime
    {
        public long Seconds;
        public uint Nanoseconds;
        public int Reserved;
    }
}
