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
    private const int SetSize = 128;
    private const int Block = 0;
    private const int CloseOnExec = 0x80000;

    /// <summary>The signals that are read and not delivered.</summary>
    private static ReadOnlySpan<int> Taken => [Interrupt, Terminate, Child];

    /// <summary>Blocks them in this thread, and so in the programs that it becomes or begins.</summary>
    /// <returns>Were they blocked before?</returns>
    public static bool BlockTaken()
    {
        var set = stackalloc byte[SetSize];
        var before = stackalloc byte[SetSize];
        Fill(set);
        if (MaskCore(Block, set, before) != 0)
        {
            throw new InvalidOperationException("Signals cannot be blocked.");
        }

        return IsMember(before, Child) == 1;
    }

    /// <summary>A descriptor from which the taken signals are read.</summary>
    public static SafeFileHandle Open()
    {
        var set = stackalloc byte[SetSize];
        Fill(set);
        var handle = OpenCore(-1, set, CloseOnExec | Descriptors.NonBlocking);
        return handle.IsInvalid ? throw Errno.Failure("Opening a descriptor for signals") : handle;
    }

    /// <summary>A write to a pipe that nobody reads is an error of that write, and not the end of the process.</summary>
    public static void IgnoreBrokenPipes() => _ = Handle(Pipe, 1);

    /// <summary>Sends a signal; 0, or the kernel's number.</summary>
    public static int Send(int pid, int signal) => SendCore(pid, signal) == 0 ? 0 : Errno.Last;

    private static void Fill(byte* set)
    {
        _ = EmptySet(set);
        foreach (var signal in Taken)
        {
            _ = AddTo(set, signal);
        }
    }

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    private static partial int EmptySet(byte* set);

    [LibraryImport("libc", EntryPoint = "sigaddset")]
    private static partial int AddTo(byte* set, int signal);

    [LibraryImport("libc", EntryPoint = "sigismember")]
    private static partial int IsMember(byte* set, int signal);

    [LibraryImport("libc", EntryPoint = "pthread_sigmask")]
    private static partial int MaskCore(int how, byte* set, byte* before);

    [LibraryImport("libc", EntryPoint = "signalfd", SetLastError = true)]
    private static partial SafeFileHandle OpenCore(int file, byte* set, int flags);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Handle(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendCore(int pid, int signal);
}
