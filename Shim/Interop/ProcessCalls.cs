using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Interop;

/// <summary>Calls about this process and those below it.</summary>
internal static partial class ProcessCalls
{
    private const int NoHang = 1;
    private const int SetChildSubreaper = 36;
    private const int SignalMask = 0x7f;
    private const int SignalBase = 128;
    private const nint OpenNumber = 434; // pidfd_open

    /// <summary>Takes the end of any child that has ended; its id and exit code, 128 and the signal where one ended it, or null.</summary>
    public static (int Pid, int Code)? TryReap()
    {
        int pid, status;
        do
        {
            pid = WaitCore(-1, out status, NoHang);
        }
        while (pid < 0 && Errno.Last == Errno.Interrupted);

        return pid > 0 ? (pid, CodeOf(status)) : null;
    }

    /// <summary>A descriptor of a process, which is never another's; null where there is no such process.</summary>
    public static SafeFileHandle? TryOpen(int pid)
    {
        var process = OpenCore(OpenNumber, pid, 0);
        return process >= 0 ? new SafeFileHandle(process, true) : null;
    }

    /// <summary>Has orphans below this process become its children.</summary>
    public static void BecomeSubreaper()
    {
        if (Control(SetChildSubreaper, 1, 0, 0, 0) != 0)
        {
            throw Errno.Failure("Becoming the parent of orphans");
        }
    }

    /// <summary>The exit code of a status of wait(2).</summary>
    internal static int CodeOf(int status) => (status & SignalMask) == 0 ? (status >> 8) & 0xff : SignalBase + (status & SignalMask);

    /// <summary>Whoever began this process.</summary>
    [LibraryImport("libc", EntryPoint = "getppid")]
    public static partial int ParentId();

    /// <summary>As whom this process acts.</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint UserId();

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitCore(int pid, out int status, int options);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint OpenCore(nint number, nint pid, nint flags);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int option, nint a, nint b, nint c, nint d);
}
