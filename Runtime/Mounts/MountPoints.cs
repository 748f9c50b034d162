using System.Runtime.InteropServices;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Mounts;

/// <summary>Takes mounts away.</summary>
internal static partial class MountPoints
{
    private const int MostRounds = 64;
    private const int Detach = 2; // MNT_DETACH
    private const int DoNotFollow = 8; // UMOUNT_NOFOLLOW
    private const int NotThere = 2;
    private const int NotMounted = 22;

    /// <summary>Takes whatever is mounted at a path or below it out of sight; it is gone when nobody uses it any more.</summary>
    /// <exception cref="ImageStoreException">The kernel refuses, or more is mounted again and again.</exception>
    public static void DetachBelow(string path)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var mounted = MountInfo.Below(path);
            if (mounted.Count == 0)
            {
                return;
            }

            foreach (var target in mounted)
            {
                if (Unmount(target, Detach | DoNotFollow) != 0 && Marshal.GetLastPInvokeError() is not (NotThere or NotMounted) and var errno)
                {
                    throw IoErrors.FromErrno(errno, $"Unmounting {Printable.Of(target)}");
                }
            }
        }

        throw new ImageStoreException(ErrorKind.Unavailable, $"Something is mounted below {Printable.Of(path)} again and again.", "Find out who mounts there: see /proc/self/mountinfo.");
    }

    /// <summary><c>umount2(2)</c>: 0, or -1 and the last error.</summary>
    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unmount(string target, int flags);
}
