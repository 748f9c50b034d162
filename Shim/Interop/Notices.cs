using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Interop;

/// <summary>Descriptors that become readable when something happens.</summary>
internal static partial class Notices
{
    private const int CloseOnExec = 0x80000;
    private const uint Modified = 2;

    /// <summary>A counter that the kernel adds to.</summary>
    public static SafeFileHandle Counter()
    {
        var counter = CounterCore(0, CloseOnExec | Descriptors.NonBlocking);
        return counter.IsInvalid ? throw Errno.Failure("Making an eventfd") : counter;
    }

    /// <summary>Tells when a file is changed.</summary>
    public static SafeFileHandle ChangesOf(string path)
    {
        var changes = ChangesCore(CloseOnExec | Descriptors.NonBlocking);
        if (changes.IsInvalid)
        {
            throw Errno.Failure("Making an inotify");
        }

        if (Add(changes, path, Modified) < 0)
        {
            var failure = Errno.Failure($"Watching {path}");
            changes.Dispose();
            throw failure;
        }

        return changes;
    }

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial SafeFileHandle CounterCore(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial SafeFileHandle ChangesCore(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Add(SafeFileHandle inotify, string path, uint what);
}
