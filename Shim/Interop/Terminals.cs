using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Interop;

/// <summary>A terminal's size.</summary>
internal static unsafe partial class Terminals
{
    private const nuint SetSize = 0x5414;

    public static void Resize(SafeFileHandle terminal, ushort columns, ushort rows)
    {
        var size = stackalloc ushort[4];
        (size[0], size[1]) = (rows, columns);
        if (Control(terminal, SetSize, size) != 0)
        {
            throw Errno.Failure("Setting a terminal's size");
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, nuint request, void* argument);
}
