using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Store;

/// <summary>Writes a small file so that there is always the old one or the new one, also after a power cut.</summary>
public static class WholeFile
{
    /// <summary>Only the owner reads and writes it.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Everybody reads it, the owner writes it.</summary>
    public const UnixFileMode Public = Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Writes <paramref name="bytes"/> to <paramref name="path"/>, whose folder has to be there.</summary>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes, UnixFileMode mode)
    {
        ArgumentNullException.ThrowIfNull(path);
        var full = Path.GetFullPath(path);
        var partial = $"{full}.{Guid.NewGuid():N}.partial";
        try
        {
            using (var file = new FileStream(
                partial, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }

            File.Move(partial, full, overwrite: true);
            KernelFile.SyncDirectory(Path.GetDirectoryName(full)!);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Writing {Printable.Of(path)}");
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
