using System.Runtime.InteropServices;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>Tells whether something is mounted on a directory.</summary>
public static class MountPoint
{
    /// <summary>Whether <paramref name="path"/> is the root of a mount; a path that is not there is not.</summary>
    public static bool Is(string path) =>
        FileStatus.Read(path, out var status) == 0 && (status.Attributes & FileStatus.AttributeMountRoot) != 0;

    /// <summary>Whether the mount or the filesystem that a directory is in takes no writes.</summary>
    internal static bool IsReadOnly(string directory) =>
        MountSyscalls.Access(directory, MountSyscalls.WriteAccess) != 0 && Marshal.GetLastPInvokeError() == Errno.EROFS;
}
