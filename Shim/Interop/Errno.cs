using System.Runtime.InteropServices;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Interop;

/// <summary>The kernel's numbers that something is done about.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NotFound = 2;
    public const int NoProcess = 3;
    public const int Interrupted = 4;
    public const int TryAgain = 11;
    public const int Busy = 16;
    public const int Invalid = 22;
    public const int AddressInUse = 98;
    public const int ConnectionRefused = 111;

    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>The error of the last call on this thread.</summary>
    /// <param name="action">What was being done, such as <c>Opening the fifo x</c>.</param>
    public static ImageStoreException Failure(string action) => IoErrors.FromErrno(Last, action);
}
