using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Interop;

/// <summary>Finds where a sparse file has data, so that holes are not read from the disk.</summary>
public static class FileHoles
{
    private const int SeekData = 3;
    private const int SeekHole = 4;
    private const int NoSuchPlace = 6; // ENXIO

    /// <summary>The next data at or after <paramref name="offset"/>: where it begins and ends; both are <paramref name="size"/> when the rest is a hole.</summary>
    /// <remarks>A file system that does not know holes has one piece of data. It moves the handle's position.</remarks>
    /// <exception cref="Errors.ImageStoreException">The disk refuses.</exception>
    public static (long Start, long End) NextData(SafeFileHandle file, long offset, long size, string entry)
    {
        var start = LibC.LSeek(file, offset, SeekData);
        if (start < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error == NoSuchPlace ? (size, size) : throw KernelError.Of(error, $"look for data in '{entry}'");
        }

        var end = LibC.LSeek(file, start, SeekHole);
        InodeChange.Check((nint)end, "look for a hole in", entry);
        return (Math.Min(start, size), Math.Min(end, size));
    }
}
