using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Interop;

/// <summary>Opens paths that cannot leave a directory, whatever links lie there.</summary>
/// <remarks>Every path given ends with a NUL byte. Every handle is closed on exec.</remarks>
public static class OpenAt
{
    private const nint OpenAt2Number = 437;
    private const int TooManyLinks = 40;
    private const int NameTooLong = 36;
    private const int MaxAttempts = 10_000;
    private const ulong NoMagicLinks = 0x02;
    private const ulong NoSymlinks = 0x04;
    private const ulong InRoot = 0x10;
    private const ulong CloseOnExec = 0x80000;
    private const ulong PathOnly = 0x200000;
    private const ulong CreateNewFile = 0x40 | 0x80 | 0x1;
    private static readonly bool s_arm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly ulong s_directory = s_arm ? 0x4000UL : 0x10000UL;
    private static readonly ulong s_noFollow = s_arm ? 0x8000UL : 0x20000UL;

    /// <summary>Opens a directory of the host by its path.</summary>
    public static SafeFileHandle HostDirectory(string path)
    {
        var name = new byte[System.Text.Encoding.UTF8.GetByteCount(path) + 1];
        System.Text.Encoding.UTF8.GetBytes(path, name);
        using var current = new SafeFileHandle(-100, false);
        return TryOpen(current, name, s_directory, 0, 0) ?? throw KernelError.Last($"open directory '{Errors.Printable.Of(path)}'");
    }

    /// <summary>Opens a directory below <paramref name="root"/>, links followed inside of it; null with errno set.</summary>
    public static SafeFileHandle? DirectoryInRoot(SafeFileHandle root, ReadOnlySpan<byte> path) =>
        TryOpen(root, path, s_directory, 0, InRoot | NoMagicLinks);

    /// <summary>Opens a directory without following any link; null with errno set.</summary>
    public static SafeFileHandle? Directory(SafeFileHandle at, ReadOnlySpan<byte> path) =>
        TryOpen(at, path, s_directory | s_noFollow, 0, InRoot | NoSymlinks);

    /// <summary>Does as <see cref="Directory"/>; null where no directory is there, and only then.</summary>
    /// <exception cref="Errors.ImageStoreException">The kernel refused for another reason.</exception>
    public static SafeFileHandle? DirectoryIfThere(SafeFileHandle at, ReadOnlySpan<byte> path, string shown) =>
        Directory(at, path) ?? Missing(shown);

    /// <summary>Does as <see cref="DirectoryInRoot"/>; null where no directory is there, and only then.</summary>
    /// <exception cref="Errors.ImageStoreException">The kernel refused for another reason.</exception>
    public static SafeFileHandle? DirectoryInRootIfThere(SafeFileHandle root, ReadOnlySpan<byte> path, string shown) =>
        DirectoryInRoot(root, path) ?? Missing(shown);

    /// <summary>A handle for the thing itself, of whatever kind, no link followed; null with errno set.</summary>
    public static SafeFileHandle? Inode(SafeFileHandle at, ReadOnlySpan<byte> path) =>
        TryOpen(at, path, PathOnly | s_noFollow, 0, InRoot | NoMagicLinks);

    /// <summary>A handle for what <paramref name="path"/> leads to below <paramref name="root"/>, of whatever kind, links followed inside of it; null with errno set.</summary>
    public static SafeFileHandle? InodeInRoot(SafeFileHandle root, ReadOnlySpan<byte> path) =>
        TryOpen(root, path, PathOnly, 0, InRoot | NoMagicLinks);

    /// <summary>Does as <see cref="InodeInRoot"/>; null where nothing is there, and only then.</summary>
    /// <exception cref="Errors.ImageStoreException">The kernel refused for another reason.</exception>
    public static SafeFileHandle? InodeInRootIfThere(SafeFileHandle root, ReadOnlySpan<byte> path, string shown) =>
        InodeInRoot(root, path) ?? Missing(shown);

    /// <summary>Opens a regular file for reading; null with errno set.</summary>
    public static SafeFileHandle? Read(SafeFileHandle at, ReadOnlySpan<byte> name) =>
        TryOpen(at, name, s_noFollow, 0, InRoot | NoSymlinks);

    /// <summary>Opens for reading what <see cref="Inode"/> gave, whatever its name stands for by now; null with errno set.</summary>
    /// <remarks>To open a fifo waits and to open a device acts: the caller looks first what it is.</remarks>
    public static SafeFileHandle? Reopen(SafeFileHandle inode) => TryOpen(inode, InodeChange.ProcPath(inode), 0, 0, 0);

    /// <summary>Creates a file that must not exist, for writing; null with errno set.</summary>
    public static SafeFileHandle? CreateNew(SafeFileHandle at, ReadOnlySpan<byte> name, uint mode) =>
        TryOpen(at, name, CreateNewFile | s_noFollow, mode, InRoot | NoSymlinks);

    /// <summary>Has the next reading of a directory begin anew.</summary>
    public static void Rewind(SafeFileHandle directory)
    {
        if (LibC.LSeek(directory, 0, 0) < 0)
        {
            throw KernelError.Last("read a directory again");
        }
    }

    private static SafeFileHandle? Missing(string shown) =>
        Marshal.GetLastPInvokeError() is var error and not (LibC.NotFound or LibC.NotADirectory or TooManyLinks or NameTooLong)
            ? throw KernelError.Of(error, $"open '{shown}'")
            : null;

    private static SafeFileHandle? TryOpen(SafeFileHandle at, ReadOnlySpan<byte> path, ulong flags, uint mode, ulong resolve)
    {
        var how = new OpenHow { Flags = flags | CloseOnExec, Mode = mode, Resolve = resolve };
        for (var attempt = 1; ; attempt++)
        {
            var fd = LibC.OpenAt2(OpenAt2Number, at, path, in how, Unsafe.SizeOf<OpenHow>());
            if (fd >= 0)
            {
                return new SafeFileHandle(fd, true);
            }

            // A rename or mount anywhere on the machine makes the kernel unsure of a "..": it asks to be asked again.
            if (Marshal.GetLastPInvokeError() is not (LibC.Interrupted or LibC.TryAgain) || attempt == MaxAttempts)
            {
                return null;
            }
        }
    }
}
