using ImageStore.Store.Errors;

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
        using var file = PendingFile.Create(path, mode);
        try
        {
            file.Stream.Write(bytes);
        }
        catch (IOException failure)
        {
            throw IoErrors.From(failure, $"Writing {Printable.Of(path)}");
        }

        file.Commit();
    }
}
