using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Interop;

/// <summary>Waits for many descriptors at once.</summary>
internal static unsafe partial class Epoll
{
    public const uint Readable = 1;
    public const uint Writable = 4;
    public const uint Failed = 8;
    public const uint HungUp = 0x10;

    private const uint ReadHungUp = 0x2000;
    private const uint EdgeTriggered = 1u << 31;
    private const int CloseOnExec = 0x80000;
    private const int OperationAdd = 1;
    private const int OperationRemove = 2;

    // The kernel packs the record on x86-64 alone.
    private static readonly int s_dataAt = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int s_size = s_dataAt + 8;

    /// <summary>The bytes of one event.</summary>
    public static int EventSize => s_size;

    public static SafeFileHandle Create()
    {
        var epoll = CreateCore(CloseOnExec);
        return epoll.IsInvalid ? throw Errno.Failure("Making an epoll") : epoll;
    }

    /// <summary>Has every change of the descriptor's readiness told with <paramref name="name"/>; false for a file that is always ready.</summary>
    public static bool TryAdd(SafeFileHandle epoll, SafeFileHandle file, ulong name)
    {
        Span<byte> record = stackalloc byte[s_size];
        BitConverter.TryWriteBytes(record, Readable | Writable | ReadHungUp | EdgeTriggered);
        BitConverter.TryWriteBytes(record[s_dataAt..], name);
        fixed (byte* start = record)
        {
            return ControlCore(epoll, OperationAdd, file, start) == 0
                || (Errno.Last == Errno.NotPermitted ? false : throw Errno.Failure("Watching a descriptor"));
        }
    }

    public static void Remove(SafeFileHandle epoll, SafeFileHandle file) => _ = ControlCore(epoll, OperationRemove, file, null);

    /// <summary>Waits; the number of events, none after the timeout or a signal.</summary>
    public static int Wait(SafeFileHandle epoll, Span<byte> events, int milliseconds)
    {
        fixed (byte* start = events)
        {
            return Math.Max(0, WaitCore(epoll, start, events.Length / s_size, milliseconds));
        }
    }

    public static (uint What, ulong Name) EventAt(ReadOnlySpan<byte> events, int index)
    {
        var record = events[(index * s_size)..];
        return (BitConverter.ToUInt32(record), BitConverter.ToUInt64(record[s_dataAt..]));
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial SafeFileHandle CreateCore(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int ControlCore(SafeFileHandle epoll, int operation, SafeFileHandle file, byte* record);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int WaitCore(SafeFileHandle epoll, byte* events, int count, int milliseconds);
}
