using System.Runtime.InteropServices;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Interop;

/// <summary>Kernel calls on files that .NET does not offer: directory sync, early writeback and advisory locks.</summary>
public static partial class KernelFile
{
    private const int OpenReadOnly = 0;
    private const int OpenReadWrite = 2;
    private const int OpenCreate = 0x40;
    private const int OpenAppend = 0x400;
    private const int OpenCloseOnExec = 0x80000;
    private const int OwnerReadWrite = 0x180;
    private const int Interrupted = 4;
    private const int LockShared = 1;
    private const int LockExclusive = 2;
    private const int LockRelease = 8;
    private const int LockNonBlocking = 4;
    private const uint SyncFileRangeWrite = 2;
    private const int ErrnoWouldBlock = 11;
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const uint RenameExchange = 2;
    private const int AdviseDontNeed = 4;
    private const int KeepSize = 1;
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;
    private const int EmptyPath = 0x1000;
    private const uint StatBlocks = 0x400;
    private const int BlocksOffset = 48;
    private const int StatBlockBytes = 512;

    /// <summary>Makes what was written to <paramref name="file"/> durable.</summary>
    /// <remarks>.NET's own flush to disk hides every failure, so that what is lost passes for durable.</remarks>
    /// <exception cref="IOException">The kernel refused, with its number as <see cref="Exception.HResult"/>.</exception>
    public static void Sync(SafeFileHandle file)
    {
        while (FSync(file) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno != Interrupted)
            {
                throw new IOException(Marshal.GetPInvokeErrorMessage(errno), errno);
            }
        }
    }

    /// <summary>Makes the names in <paramref name="path"/> durable.</summary>
    /// <exception cref="ImageStoreException">The kernel refused.</exception>
    public static void SyncDirectory(string path)
    {
        using var handle = Open(path, OpenReadOnly | OpenCloseOnExec, 0);
        if (handle.IsInvalid || FSync(handle) != 0)
        {
            throw IoErrors.FromErrno(Marshal.GetLastPInvokeError(), $"Syncing the directory {path}");
        }
    }

    /// <summary>Swaps two names: at every moment both are there.</summary>
    /// <exception cref="ImageStoreException">The kernel or the filesystem refused.</exception>
    public static void Exchange(string left, string right)
    {
        if (RenameAt2(CurrentDirectory, left, CurrentDirectory, right, RenameExchange) != 0)
        {
            throw IoErrors.FromErrno(Marshal.GetLastPInvokeError(), $"Exchanging {left} and {right}");
        }
    }

    /// <summary>Tells the kernel that what was read of a file is not needed again, so that it keeps what is.</summary>
    public static void DropCache(SafeFileHandle file, long offset, long count) => _ = FAdvise(file, offset, count, AdviseDontNeed);

    /// <summary>Gives the file blocks for its first <paramref name="bytes"/> bytes, and leaves its length.</summary>
    /// <returns>False when the disk is too full; null when the filesystem cannot tell.</returns>
    public static bool? TryAllocate(SafeFileHandle file, long bytes)
    {
        while (FAllocate(file, KeepSize, 0, bytes) != 0)
        {
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    continue;
                case NoSpace or QuotaExceeded:
                    return false;
                default:
                    return null;
            }
        }

        return true;
    }

    /// <summary>The bytes that the file's blocks take.</summary>
    public static long AllocatedBytes(SafeFileHandle file)
    {
        Span<byte> status = stackalloc byte[256];
        return LibC.StatX(file, "\0"u8, EmptyPath, StatBlocks, status) == 0
            ? BitConverter.ToInt64(status[BlocksOffset..]) * StatBlockBytes
            : throw IoErrors.FromErrno(Marshal.GetLastPInvokeError(), "Looking at a file");
    }

    /// <summary>Asks the kernel to begin writing what is dirty in the range, so that a later sync finds less to do.</summary>
    public static void StartWriteback(SafeFileHandle file, long offset, long count) =>
        _ = SyncFileRange(file, offset, count, SyncFileRangeWrite);

    /// <summary>Opens a file that <see cref="TryLock"/> may lock, and makes it when missing.</summary>
    /// <remarks>.NET's own open takes a shared lock of its own, which would fail while another process has the exclusive one.</remarks>
    /// <exception cref="ImageStoreException">The kernel refused.</exception>
    public static SafeFileHandle OpenLockFile(string path) => OpenOrMake(path, 0, $"Opening the lock {path}");

    /// <summary>Opens a file in which whatever is written goes to its end, and makes it when missing.</summary>
    /// <exception cref="ImageStoreException">The kernel refused.</exception>
    public static SafeFileHandle OpenForAppending(string path) => OpenOrMake(path, OpenAppend, $"Opening {Printable.Of(path)}");

    /// <summary>Takes an exclusive advisory lock that lives as long as the open file; false when another has it.</summary>
    /// <param name="file">A file of <see cref="OpenLockFile"/>.</param>
    /// <param name="shared">With others who share it, instead of exclusively.</param>
    public static bool TryLock(SafeFileHandle file, bool shared = false)
    {
        if (FLock(file, (shared ? LockShared : LockExclusive) | LockNonBlocking) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == ErrnoWouldBlock ? false : throw IoErrors.FromErrno(errno, "Taking a lock");
    }

    /// <summary>Lets go of a lock before its file is closed.</summary>
    public static void Unlock(SafeFileHandle file) => _ = FLock(file, LockRelease);

    private static SafeFileHandle OpenOrMake(string path, int flags, string action)
    {
        var handle = Open(path, OpenReadWrite | OpenCreate | OpenCloseOnExec | flags, OwnerReadWrite);
        if (handle.IsInvalid)
        {
            var errno = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw IoErrors.FromErrno(errno, action);
        }

        return handle;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int FAllocate(SafeFileHandle file, int mode, long offset, long count);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FLock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int leftAt, string left, int rightAt, string right, uint flags);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int FAdvise(SafeFileHandle file, long offset, long count, int advice);

    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    private static partial int SyncFileRange(SafeFileHandle file, long offset, long count, uint flags);
}
