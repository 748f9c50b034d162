using System.Runtime.InteropServices;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Interop;

/// <summary>Turns errno into the error that a user sees.</summary>
public static class KernelError
{
    private const int NotPermitted = 1;
    private const int AccessDenied = 13;
    private const int NoSpaceLeft = 28;
    private const int NotImplemented = 38;
    private const int NameTooLong = 36;
    private const int TooManyLinks = 40;
    private const int NotSupported = 95;
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
            NotPermitted or AccessDenied => new(ErrorKind.PermissionDenied, message, "Run as root."),
            NotSupported => new(ErrorKind.Unsupported, message, "Use a file system with extended attributes."),
            NotImplemented => new(ErrorKind.Unsupported, message, "Use Linux 5.6 or newer."),
            LibC.NotFound => new(ErrorKind.NotFound, message),
            LibC.NotADirectory or TooManyLinks or NameTooLong => new(ErrorKind.CorruptData, message),
            _ => new(ErrorKind.Internal, message),
        };
    }
}
