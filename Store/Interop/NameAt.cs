using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Interop;

/// <summary>Makes, links, moves and removes one name in an open directory. Names end with NUL and hold no slash.</summary>
public static class NameAt
{
    private const int RemoveDirectoryFlag = 0x200;

    /// <summary>Makes a directory; false if the name is taken.</summary>
    public static bool MakeDirectory(SafeFileHandle at, ReadOnlySpan<byte> name, uint mode, string entry) =>
        Made(LibC.MkdirAt(at, name, mode), "create directory", entry);

    /// <summary>Makes a device, fifo or whiteout; false if the name is taken.</summary>
    public static bool MakeNode(SafeFileHandle at, ReadOnlySpan<byte> name, uint mode, uint major, uint minor, string entry) =>
        Made(LibC.MknodAt(at, name, mode, Device(major, minor)), "create device", entry);

    /// <summary>Makes a symbolic link; false if the name is taken.</summary>
    public static bool MakeSymlink(SafeFileHandle at, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target, string entry) =>
        Made(LibC.SymlinkAt(target, at, name), "create symbolic link", entry);

    /// <summary>Links; false if the new name is taken. A symbolic link is linked itself.</summary>
    public static bool Link(SafeFileHandle from, ReadOnlySpan<byte> name, SafeFileHandle to, ReadOnlySpan<byte> newName, string entry) =>
        Made(LibC.LinkAt(from, name, to, newName, 0), "create hard link", entry);

    /// <summary>Moves, replacing a non-directory.</summary>
    public static void Move(SafeFileHandle from, ReadOnlySpan<byte> name, SafeFileHandle to, ReadOnlySpan<byte> newName, string entry) =>
        InodeChange.Check(LibC.RenameAt(from, name, to, newName), "move", entry);

    /// <summary>Removes a name that is no directory.</summary>
    public static void Remove(SafeFileHandle at, ReadOnlySpan<byte> name, string entry) =>
        InodeChange.Check(LibC.UnlinkAt(at, name, 0), "remove", entry);

    /// <summary>Removes an empty directory.</summary>
    public static void RemoveDirectory(SafeFileHandle at, ReadOnlySpan<byte> name, string entry) =>
        InodeChange.Check(LibC.UnlinkAt(at, name, RemoveDirectoryFlag), "remove directory", entry);

    /// <summary>A symbolic link's target without NUL.</summary>
    public static byte[] ReadLink(SafeFileHandle at, ReadOnlySpan<byte> name, string entry)
    {
        var buffer = new byte[4096];
        var length = LibC.ReadLinkAt(at, name, buffer, buffer.Length);
        InodeChange.Check(length, "read link", entry);
        return buffer[..(int)length];
    }

    private static ulong Device(uint major, uint minor) =>
        ((major & 0xFFFUL) << 8) | ((major & 0xFFFFF000UL) << 32) | (minor & 0xFFUL) | ((minor & 0xFFFFFF00UL) << 12);

    private static bool Made(int result, string verb, string entry)
    {
        if (result == 0)
        {
            return true;
        }

        var error = Marshal.GetLastPInvokeError();
        return error == LibC.AlreadyExists ? false : throw KernelError.Of(error, $"{verb} '{entry}'");
    }
}
