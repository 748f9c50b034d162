using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>Opens directories, which File.OpenHandle refuses, and flushes the file system they are on.</summary>
internal static partial class DirectoryHandle
{
    private const int OCloseOnExec = 0x80000;
    private const int ODirectoryX64 = 0x10000;
    private const int ODirectoryArm64 = 0x4000;
    private const int ONoFollowX64 = 0x20000;
    private const int ONoFollowArm64 = 0x8000;

    private static bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    private static int DirectoryFlag => IsArm64 ? ODirectoryArm64 : ODirectoryX64;

    private static int NoFollowFlag => IsArm64 ? ONoFollowArm64 : ONoFollowX64;

    /// <summary>Opens <paramref name="path"/> for reading; dispose the handle.</summary>
    public static SafeFileHandle Open(string path)
    {
        var handle = OpenCore(path, OCloseOnExec | DirectoryFlag, 0);
        if (handle.IsInvalid)
        {
            var errno = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw Errno.ToException(errno, $"The directory {path} cannot be opened");
        }

        return handle;
    }

    /// <summary>Opens a directory's own subdirectory, never through a symbolic link.</summary>
    public static SafeFileHandle OpenChild(SafeFileHandle parent, byte[] name) =>
        OpenFile(parent, name, DirectoryFlag, 0);

    /// <summary>Opens a file in a directory, never through a symbolic link.</summary>
    public static SafeFileHandle OpenFile(SafeFileHandle parent, byte[] name, int flags, int mode)
    {
        var handle = OpenAt(parent, name, OCloseOnExec | NoFollowFlag | flags, mode);
        if (handle.IsInvalid)
        {
            var errno = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw Errno.ToException(errno, "A file in a snapshot cannot be opened");
        }

        return handle;
    }

    /// <summary>Makes a directory if it is not there, with exactly this mode whatever the umask takes.</summary>
    public static void Make(string path, uint mode)
    {
        if (MakeDirectory(path, mode) != 0 && Marshal.GetLastPInvokeError() is var errno and not Errno.EEXIST)
        {
            throw Errno.ToException(errno, $"The directory {path} cannot be made");
        }

        SetMode(path, mode);
    }

    /// <summary>Sets a directory's permissions.</summary>
    public static void SetMode(string path, uint mode)
    {
        if (ChangeMode(path, mode) != 0)
        {
            throw Errno.ToException(Marshal.GetLastPInvokeError(), $"The permissions of {path} cannot be set");
        }
    }

    /// <summary>Sets a directory's owner.</summary>
    public static void SetOwner(string path, uint uid, uint gid)
    {
        if (ChangeOwner(path, uid, gid) != 0)
        {
            throw Errno.ToException(Marshal.GetLastPInvokeError(), $"The owner of {path} cannot be set");
        }
    }

    /// <summary>Flushes everything on the file system that holds <paramref name="path"/>.</summary>
    public static void SyncFileSystem(string path)
    {
        using var handle = Open(path);
        if (SyncFs(handle) != 0)
        {
            throw Errno.ToException(Marshal.GetLastPInvokeError(), $"The file system of {path} cannot be flushed");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenCore(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial SafeFileHandle OpenAt(SafeFileHandle parent, byte[] name, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeDirectory(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeMode(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint uid, uint gid);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(SafeFileHandle handle);
}
