using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>An advisory lock on a directory, held until the handle is closed or the process ends.</summary>
internal static partial class DirectoryLock
{
    private const int LockShared = 1;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;

    public static SafeFileHandle Shared(string directory)
    {
        var handle = DirectoryHandle.Open(directory);
        while (Flock(handle, LockShared) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.EINTR)
            {
                handle.Dispose();
                throw Errno.ToException(errno, $"The directory {directory} cannot be locked");
            }
        }

        return handle;
    }

    public static SafeFileHandle? TryExclusive(string directory)
    {
        var handle = DirectoryHandle.Open(directory);
        if (Flock(handle, LockExclusive | LockNonBlocking) == 0)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle handle, int operation);
}
