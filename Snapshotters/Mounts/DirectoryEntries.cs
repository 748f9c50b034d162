using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>Lists a directory by names as bytes, since names in layers need not be UTF-8.</summary>
internal static partial class DirectoryEntries
{
    private const int TypeOffset = 18;
    private const int NameOffset = 19;

    /// <summary>The names without <c>.</c> and <c>..</c>, each ended by a zero byte.</summary>
    public static unsafe List<(byte[] Name, byte Type)> Read(SafeFileHandle directory)
    {
        // A second description, so that the caller's handle keeps its own position.
        using var own = DirectoryHandle.OpenChild(directory, "."u8.ToArray().Append((byte)0).ToArray());
        var stream = FdOpenDir((int)own.DangerousGetHandle());
        if (stream == 0)
        {
            throw Errno.ToException(Marshal.GetLastPInvokeError(), "A directory cannot be listed");
        }

        own.SetHandleAsInvalid();
        try
        {
            var names = new List<(byte[] Name, byte Type)>();
            Marshal.SetLastSystemError(0);
            for (var entry = ReadDir(stream); entry != null; entry = ReadDir(stream))
            {
                var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + NameOffset);
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    names.Add((new ReadOnlySpan<byte>(entry + NameOffset, name.Length + 1).ToArray(), entry[TypeOffset]));
                }
            }

            return names;
        }
        finally
        {
            _ = CloseDir(stream);
        }
    }

    [LibraryImport("libc", EntryPoint = "fdopendir", SetLastError = true)]
    private static partial nint FdOpenDir(int handle);

    [LibraryImport("libc", EntryPoint = "readdir")]
    private static unsafe partial byte* ReadDir(nint stream);

    [LibraryImport("libc", EntryPoint = "closedir")]
    private static partial int CloseDir(nint stream);
}
