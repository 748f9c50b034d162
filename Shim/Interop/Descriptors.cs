using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Interop;

/// <summary>Files, fifos and pipes by their descriptors, none of which a child inherits unless it is given it.</summary>
internal static unsafe partial class Descriptors
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int NoTerminal = 0x100;
    public const int Append = 0x400;
    public const int NonBlocking = 0x800;
    public const int PathOnly = 0x200000;

    private const int CloseOnExec = 0x80000;
    private const int DescriptorCloseOnExec = 1;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int SetDescriptorFlags = 2;
    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const int DuplicateCloseOnExec = 1030;
    private const nint CloseRangeNumber = 436;
    private const uint CloseRangeOnExec = 4;

    /// <summary>Opens a file.</summary>
    public static SafeFileHandle Open(string path, int flags, int mode = 0)
    {
        while (true)
        {
            var handle = OpenCore(path, flags | CloseOnExec, mode);
            if (!handle.IsInvalid)
            {
                return handle;
            }

            if (Errno.Last != Errno.Interrupted)
            {
                throw Errno.Failure($"Opening {path}");
            }
        }
    }

    /// <summary>Makes a pipe, both of whose ends block.</summary>
    public static (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        var ends = stackalloc int[2];
        return PipeCore(ends, CloseOnExec) == 0
            ? (new SafeFileHandle(ends[0], true), new SafeFileHandle(ends[1], true))
            : throw Errno.Failure("Making a pipe");
    }

    /// <summary>Has reads and writes return when they would wait.</summary>
    public static void SetNonBlocking(SafeFileHandle file)
    {
        var flags = Control(file, GetFlags, 0);
        if (flags < 0 || Control(file, SetFlags, flags | NonBlocking) < 0)
        {
            throw Errno.Failure("Setting a descriptor's flags");
        }
    }

    /// <summary>Has children not inherit it.</summary>
    public static void SetCloseOnExec(SafeFileHandle file)
    {
        if (Control(file, SetDescriptorFlags, DescriptorCloseOnExec) < 0)
        {
            throw Errno.Failure("Setting a descriptor's flags");
        }
    }

    /// <summary>Takes the one lock that an open file has, unless another has it; it is let go of by closing.</summary>
    public static bool TryLock(SafeFileHandle file) =>
        LockCore(file, LockExclusive | LockNonBlocking) == 0 || (Errno.Last == Errno.TryAgain ? false : throw Errno.Failure("Locking a file"));

    /// <summary>Makes a directory the current one.</summary>
    /// <returns>0, or -1 with <see cref="Errno.Last"/>.</returns>
    public static int Enter(SafeFileHandle directory) => EnterCore(directory);

    /// <summary>The same open file under a number of at least <paramref name="lowest"/>.</summary>
    public static SafeFileHandle Duplicate(SafeFileHandle file, int lowest)
    {
        var number = Control(file, DuplicateCloseOnExec, lowest);
        return number >= 0 ? new SafeFileHandle(number, true) : throw Errno.Failure("Duplicating a descriptor");
    }

    /// <summary>Has a number that is in use name another open file from now on, for children too.</summary>
    public static void Replace(SafeFileHandle file, int number)
    {
        if (ReplaceCore(file, number) < 0)
        {
            throw Errno.Failure("Replacing a descriptor");
        }
    }

    /// <summary>Has children inherit nothing from <paramref name="lowest"/> on but what they are given, whoever opened it.</summary>
    /// <remarks>A kernel before 5.11 does not do it; containerd leaves nothing open anyway.</remarks>
    public static void KeepFrom(uint lowest) => _ = CloseRange(CloseRangeNumber, lowest, uint.MaxValue, CloseRangeOnExec);

    /// <summary>Gives the inode behind it to somebody.</summary>
    public static void Own(SafeFileHandle file, uint uid, uint gid)
    {
        if (ChangeOwner(file, uid, gid) != 0)
        {
            throw Errno.Failure("Changing the owner of a pipe");
        }
    }

    /// <summary>Reads once; the number of bytes, or -1 with <see cref="Errno.Last"/>.</summary>
    public static int Read(SafeFileHandle file, Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            nint read;
            do
            {
                read = ReadCore(file, start, bytes.Length);
            }
            while (read < 0 && Errno.Last == Errno.Interrupted);

            return (int)read;
        }
    }

    /// <summary>Writes once; the number of bytes, or -1 with <see cref="Errno.Last"/>.</summary>
    public static int Write(SafeFileHandle file, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            nint written;
            do
            {
                written = WriteCore(file, start, bytes.Length);
            }
            while (written < 0 && Errno.Last == Errno.Interrupted);

            return (int)written;
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenCore(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static partial int PipeCore(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint CloseRange(nint number, nuint first, nuint last, nuint flags);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    private static partial int ReplaceCore(SafeFileHandle file, int number);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int LockCore(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fchdir", SetLastError = true)]
    private static partial int EnterCore(SafeFileHandle directory);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    private static partial int ChangeOwner(SafeFileHandle file, uint uid, uint gid);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadCore(SafeFileHandle file, byte* bytes, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteCore(SafeFileHandle file, byte* bytes, nint count);
}
