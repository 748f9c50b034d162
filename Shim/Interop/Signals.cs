using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Interop;

/// <summary>Signals as bytes from a descriptor.</summary>
internal static unsafe partial class Signals
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Child = 17;

    /// <summary>The bytes of one signal that is read.</summary>
    public const int RecordSize = 128;

    private const int Pipe = 13;
    private const int Block = 0;
    private const int CloseOnExec = 0x80000;
    private const nint SendToNumber = 424; // pidfd_send_signal

    /// <summary>The signals that are read and not delivered.</summary>
    private static ReadOnlySpan<int> Taken => [Interrupt, Terminate, Child];

    /// <summary>Blocks them in this thread, and so in the programs that it becomes or begins.</summary>
    /// <returns>Were they blocked before?</returns>
    public static bool BlockTaken()
    {
        var set = stackalloc byte[SignalSet.Size];
        var before = stackalloc byte[SignalSet.Size];
        Fill(set);
        if (MaskCore(Block, set, before) != 0)
        {
            throw new InvalidOperationException("Signals cannot be blocked.");
        }

        return SignalSet.Has(before, Child) == 1;
    }

    /// <summary>A descriptor from which the taken signals are read.</summary>
    public static SafeFileHandle Open()
    {
        var set = stackalloc byte[SignalSet.Size];
        Fill(set);
        var handle = OpenCore(-1, set, CloseOnExec | Descriptors.NonBlocking);
        return handle.IsInvalid ? throw Errno.Failure("Opening a descriptor for signals") : handle;
    }

    /// <summary>A write to a pipe that nobody reads is an error of that write, and not the end of the process.</summary>
    public static void IgnoreBrokenPipes() => _ = Handle(Pipe, 1);

    /// <summary>Sends a signal; 0, or the kernel's number.</summary>
    public static int Send(int pid, int signal) => SendCore(pid, signal) == 0 ? 0 : Errno.Last;

    /// <summary>Sends a signal to an open process; 0, or the kernel's number.</summary>
    public static int SendTo(SafeFileHandle process, int signal) => SendToCore(SendToNumber, process, signal, 0, 0) == 0 ? 0 : Errno.Last;

    private static void Fill(byte* set)
    {
        _ = SignalSet.Empty(set);
        foreach (var signal in Taken)
        {
            _ = SignalSet.Add(set, signal);
        }
    }

    [LibraryImport("libc", EntryPoint = "pthread_sigmask")]
    private static partial int MaskCore(int how, byte* set, byte* before);

    [LibraryImport("libc", EntryPoint = "signalfd", SetLastError = true)]
    private static partial SafeFileHandle OpenCore(int file, byte* set, int flags);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Handle(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendCore(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SendToCore(nint number, SafeFileHandle process, nint signal, nint information, nint flags);
}
