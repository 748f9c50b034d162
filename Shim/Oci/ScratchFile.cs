using ImageStore.Store;

namespace ImageStore.Shim.Oci;

/// <summary>A file by which the shim and the OCI runtime tell each other something, once; it is gone when this is disposed of.</summary>
internal sealed class ScratchFile(string path) : IDisposable
{
    /// <summary>Where it is, or will be.</summary>
    public string Path => path;

    /// <summary>Has it with something in it, which only its owner reads.</summary>
    public ScratchFile With(ReadOnlySpan<byte> content)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = WholeFile.Private };
        using var file = new FileStream(path, options);
        file.Write(content);
        return this;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // So is its bundle.
        }
    }
}
