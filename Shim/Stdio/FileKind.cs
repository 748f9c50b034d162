using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>What was opened.</summary>
internal static class FileKind
{
    private const uint TypeMask = 0xF000;
    private const uint Fifo = 0x1000;

    public static bool IsFifo(SafeFileHandle file) => FileMetadata.TryGet(file, "\0"u8) is { } found && (found.Mode & TypeMask) == Fifo;
}
