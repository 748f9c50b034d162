using ImageStore.Store.Interop;

namespace ImageStore.Shim.Stdio;

/// <summary>What a path names.</summary>
internal static class FileKind
{
    private const uint TypeMask = 0xF000;
    private const uint Fifo = 0x1000;

    public static bool IsFifo(string path) => FileMetadata.TryGet(path) is { } found && (found.Mode & TypeMask) == Fifo;
}
