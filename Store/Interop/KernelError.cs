using System.Runtime.InteropServices;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Interop;

/// <summary>Turns errno into the error that a user sees.</summary>
public static class KernelError
{
    private const int NotPermitted = 1;
    private const int InputOutput = 5;
    private const int AccessDenied = 13;
    private const int SystemOutOfFiles = 23;
    private const int ProcessOutOfFiles = 24;
    private const int FileTooBig = 27;
    private const int NoSpaceLeft = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int LinkCountFull = 31;
    private const int NotImplemented = 38;
    private const int NameTooLong = 36;
    private const int TooManyLinks = 40;
    private const int QuotaExceeded = 122;

    /// <summary>The error of the last call on this thread.</summary>
    /// <param name="what">What was tried, for example <c>open 'etc/passwd'</c>; printable already.</param>
    public static ImageStoreException Last(string what) => Of(Marshal.GetLastPInvokeError(), what);

    /// <summary>The error for <paramref name="errno"/>.</summary>
    public static ImageStoreException Of(int errno, string what)
    {
        var message = $"Cannot {what}: {Marshal.GetPInvokeErrorMessage(errno)}.";
        return errno switch
        {
            NoSpaceLeft or QuotaExceeded => new(ErrorKind.NoSpace, message, "Free space, inodes or quota and try again."),
            ReadOnlyFileSystem => new(ErrorKind.FailedPrecondition, message, "Remount the file system writable, or choose another directory."),
            InputOutput => new(ErrorKind.Unavailable, message, "Check the disk and the kernel's log, then try again."),
            SystemOutOfFiles or ProcessOutOfFiles => new(ErrorKind.Unavailable, message, "Raise the limit of open files and try again."),
            FileTooBig or LinkCountFull => new(ErrorKind.LimitExceeded, message, "Use a file system that takes more."),
            NotPermitted or AccessDenied => new(ErrorKind.PermissionDenied, message, "Run as root."),
            LibC.NotSupported => new(ErrorKind.Unsupported, message, "Use a file system with extended attributes."),
            NotImplemented => new(ErrorKind.Unsupported, message, "Use Linux 5.6 or newer."),
            LibC.NotFound => new(ErrorKind.NotFound, message, "Something else changes the root: look what does, then try again."),
            LibC.NotADirectory or TooManyLinks or NameTooLong => new(ErrorKind.CorruptData, message, "Rebuild the image or pull it again."),
            _ => new(ErrorKind.Internal, message, "Look at the kernel's log, try again with --debug, and report it."),
        };
    }
}
