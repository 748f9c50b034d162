using System.Runtime.InteropServices;

namespace ImageStore.Store.Errors;

/// <summary>Turns what the kernel says into an error that tells the user what to do.</summary>
public static class IoErrors
{
    private const int NotPermitted = 1;
    private const int DiskFailure = 5;
    private const int AccessDenied = 13;
    private const int NoSpace = 28;
    private const int ReadOnlyFilesystem = 30;
    private const int QuotaExceeded = 122;

    /// <summary>The error for <paramref name="errno"/>.</summary>
    /// <param name="errno">The kernel's number.</param>
    /// <param name="action">What was being done, such as <c>Writing the blob sha256:…</c>.</param>
    /// <param name="inner">The exception that carried the number, if one did.</param>
    public static ImageStoreException FromErrno(int errno, string action, Exception? inner = null)
    {
        var reason = Marshal.GetPInvokeErrorMessage(errno);
        var (kind, remedy) = errno switch
        {
            NoSpace => (ErrorKind.NoSpace, "Free space or inodes on that filesystem, then repeat the command: it goes on from what is already there."),
            QuotaExceeded => (ErrorKind.NoSpace, "The disk quota is used up: raise it or free space, then repeat the command."),
            ReadOnlyFilesystem => (ErrorKind.FailedPrecondition, "Remount the filesystem writable, or choose another directory with --root."),
            NotPermitted or AccessDenied => (ErrorKind.PermissionDenied, "Run as root, or choose a directory of your own with --root."),
            _ => (ErrorKind.Unavailable, "Check the disk and the kernel's log, then repeat the command."),
        };
        return new ImageStoreException(kind, $"{action} failed: {reason}.", remedy, inner);
    }

    /// <summary>Did the disk fail to give what it has (EIO)? A repeat does not help, unlike with all else that it may say.</summary>
    public static bool IsOfTheDisk(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is IOException { HResult: DiskFailure })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The error for an exception of <see cref="System.IO"/>.</summary>
    public static ImageStoreException From(Exception failure, string action)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure switch
        {
            ImageStoreException known => known,
            UnauthorizedAccessException { InnerException: IOException inner } => From(inner, action),
            UnauthorizedAccessException => FromErrno(AccessDenied, action, failure),
            IOException { HResult: > 0 and < 256 } io => FromErrno(io.HResult, action, failure),
            _ => new ImageStoreException(
                ErrorKind.Unavailable,
                $"{action} failed: {Printable.Of(failure.Message)}",
                "Check the disk and the kernel's log, then repeat the command.",
                failure),
        };
    }
}
