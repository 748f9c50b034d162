using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Archives;

/// <summary>The files of a layout's folder.</summary>
internal sealed class FolderFiles(string directory) : IImageFiles
{
    private const int BufferBytes = 128 * 1024;

    public long? Length(string name)
    {
        var file = new FileInfo(Path.Combine(directory, name));

        // A link may lead anywhere on this machine; no tool writes them into a layout.
        return file.Exists && file.LinkTarget is null ? file.Length : null;
    }

    public Stream Open(string name, long offset)
    {
        try
        {
            return new FileStream(
                Path.Combine(directory, name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, BufferBytes, FileOptions.Asynchronous)
            {
                Position = offset,
            };
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Reading {Printable.Of(Path.Combine(directory, name))}");
        }
    }

    public void Dispose()
    {
    }
}
