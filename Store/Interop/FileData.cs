using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Store.Interop;

/// <summary>Writes a file's bytes with one system call each, where .NET first asks whether the file can seek.</summary>
public static class FileData
{
    /// <summary>Writes all of <paramref name="bytes"/> at <paramref name="offset"/>.</summary>
    /// <exception cref="Errors.ImageStoreException">The disk is full or refuses.</exception>
    public static void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset, string entry)
    {
        while (bytes.Length > 0)
        {
            var written = LibC.PWrite(file, bytes, bytes.Length, offset);
            if (written < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error == LibC.Interrupted)
                {
                    continue;
                }

                throw KernelError.Of(error, $"write '{entry}'");
            }

            bytes = bytes[(int)written..];
            offset += written;
        }
    }

    /// <summary>Sets the size; what is beyond the data becomes a hole.</summary>
    public static void SetSize(SafeFileHandle file, long size, string entry)
    {
        int result;
        do
        {
            result = LibC.FTruncate(file, size);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == LibC.Interrupted);

        InodeChange.Check(result, "set the size of", entry);
    }
}
