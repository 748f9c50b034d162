using System.Runtime.InteropServices;

namespace ImageStore.Store.Interop;

/// <summary>Deletes a folder of files.</summary>
/// <remarks>.NET's own deletion says of several of the kernel's refusals that access is denied, and no more.</remarks>
public static partial class FolderRemoval
{
    private const int NotThere = 2;

    /// <summary>Deletes the files in <paramref name="path"/>, and it; a folder that is not there is fine.</summary>
    /// <exception cref="IOException">The kernel refused, with its number as <see cref="Exception.HResult"/>, as it does for a folder in it.</exception>
    /// <exception cref="UnauthorizedAccessException">It is not permitted.</exception>
    public static void Delete(string path)
    {
        try
        {
            foreach (var file in Directory.EnumerateFiles(path))
            {
                File.Delete(file);
            }
        }
        catch (DirectoryNotFoundException)
        {
            return;
        }

        if (RemoveDirectory(path) != 0 && Marshal.GetLastPInvokeError() is not NotThere and var errno)
        {
            throw new IOException(Marshal.GetPInvokeErrorMessage(errno), errno);
        }
    }

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RemoveDirectory(string path);
}
