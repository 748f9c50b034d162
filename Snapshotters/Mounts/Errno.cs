using System.Runtime.InteropServices;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>Linux error numbers and what they mean to a user.</summary>
internal static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int ENODEV = 19;
    public const int ENOTDIR = 20;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int ENODATA = 61;
    public const int EOPNOTSUPP = 95;
    public const int EDQUOT = 122;

    /// <summary>The error as users see it.</summary>
    public static ImageStoreException ToException(int errno, string what) => new(
        errno switch
        {
            EPERM or EACCES => ErrorKind.PermissionDenied,
            ENOENT or ENOTDIR => ErrorKind.NotFound,
            ENOSPC or EDQUOT => ErrorKind.NoSpace,
            EBUSY or EINVAL or EROFS => ErrorKind.FailedPrecondition,
            ENODEV or EOPNOTSUPP => ErrorKind.Unsupported,
            EIO or ENFILE or EMFILE => ErrorKind.Unavailable,
            _ => ErrorKind.Internal,
        },
        $"{what}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}).",
        errno switch
        {
            EPERM or EACCES => "Run as root (or with CAP_SYS_ADMIN), which snapshots need.",
            EIO => "Check the disk and the kernel's log, then repeat the command.",
            ENFILE or EMFILE => "Raise the limit of open files, then repeat the command.",
            EROFS => "Remount the file system writable, or choose another directory with --root.",
            ENOSPC or EDQUOT => "Free space or inodes on that file system, or raise the quota.",
            _ => null,
        });
}
