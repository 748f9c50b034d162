using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Store;

/// <summary>A file that gets its name when it is whole and on disk, and leaves nothing behind when it never is.</summary>
public sealed class PendingFile : IDisposable
{
    private const int BufferBytes = 256 * 1024;

    private readonly string _path;
    private readonly string _partial;
    private readonly FileStream _stream;

    private PendingFile(string path, string partial, FileStream stream) => (_path, _partial, _stream) = (path, partial, stream);

    /// <summary>What is written.</summary>
    public Stream Stream => _stream;

    /// <summary>Begins <paramref name="path"/>, whose folder has to be there.</summary>
    /// <param name="path">The name that the file gets in the end; a file that has it by then is replaced.</param>
    /// <param name="mode">Who may read and write it.</param>
    /// <param name="folder">Where it is until then, on the same filesystem; null for the folder of its name.</param>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public static PendingFile Create(string path, UnixFileMode mode, string? folder = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var full = Path.GetFullPath(path);
        var partial = Path.Combine(folder ?? Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.partial");
        try
        {
            return new PendingFile(full, partial, new FileStream(partial, new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = BufferBytes, UnixCreateMode = mode,
                Options = FileOptions.Asynchronous,
            }));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Writing {Printable.Of(path)}");
        }
    }

    /// <summary>Puts the file on disk and under its name.</summary>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public void Commit()
    {
        try
        {
            _stream.Flush();
            KernelFile.Sync(_stream.SafeFileHandle);
            _stream.Dispose();
            File.Move(_partial, _path, overwrite: true);
            KernelFile.SyncDirectory(Path.GetDirectoryName(_path)!);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Writing {Printable.Of(_path)}");
        }
    }

    /// <summary>Closes the file, and removes it unless it is committed.</summary>
    public void Dispose()
    {
        try
        {
            _stream.Dispose();
        }
        catch (IOException)
        {
            // Closing writes what is buffered; nobody wants that of a file that goes.
        }

        File.Delete(_partial);
    }
}
