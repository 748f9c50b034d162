using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Interop;

/// <summary>What the kernel tells of a file, never following the last component.</summary>
/// <param name="Mode">Type and permission bits.</param>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
/// <param name="Seconds">Modification time.</param>
/// <param name="Nanoseconds">Its fraction.</param>
/// <param name="Device">Major and minor for device nodes.</param>
/// <param name="Size">Bytes.</param>
public readonly record struct FileMetadata(
    uint Mode, uint Uid, uint Gid, long Seconds, uint Nanoseconds, (uint Major, uint Minor) Device, long Size)
{
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const uint TypeMask = 0xF000;

    /// <summary>Is it a directory?</summary>
    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    /// <summary>Is it a regular file?</summary>
    public bool IsRegular => (Mode & TypeMask) == 0x8000;

    /// <summary>Is it a symbolic link?</summary>
    public bool IsSymlink => (Mode & TypeMask) == 0xA000;

    /// <summary><c>c</c> for a character device, <c>b</c> for a block device, else null.</summary>
    public char? DeviceKind => (Mode & TypeMask) switch { 0x2000 => 'c', 0x6000 => 'b', _ => null };

    /// <summary>Is it overlayfs' whiteout, a character device 0:0?</summary>
    public bool IsWhiteout => (Mode & TypeMask) == 0x2000 && Device == (0, 0);

    /// <summary>Permission bits with setuid, setgid and sticky.</summary>
    public uint Permissions => Mode & 0xFFF;

    /// <summary>Reads the metadata of what is at <paramref name="path"/>, or null where nothing is.</summary>
    public static FileMetadata? TryGet(string path)
    {
        using var at = new SafeFileHandle(CurrentDirectory, ownsHandle: false);
        return TryGet(at, Encoding.UTF8.GetBytes(path + '\0'));
    }

    /// <summary>Reads the metadata of <paramref name="name"/> (NUL-terminated; empty for the handle itself), or null.</summary>
    public static FileMetadata? TryGet(SafeFileHandle at, ReadOnlySpan<byte> name)
    {
        Span<byte> s = stackalloc byte[256];
        if (LibC.StatX(at, name, NoFollow | EmptyPath, BasicStats, s) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error is LibC.NotFound or LibC.NotADirectory ? null : throw KernelError.Of(error, "read a file's metadata");
        }

        static uint U(ReadOnlySpan<byte> b) => BitConverter.ToUInt32(b);
        return new FileMetadata(
            BitConverter.ToUInt16(s[28..]), U(s[20..]), U(s[24..]), BitConverter.ToInt64(s[112..]), U(s[120..]),
            (U(s[128..]), U(s[132..])), BitConverter.ToInt64(s[40..]));
    }
}
