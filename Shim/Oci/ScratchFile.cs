namespace ImageStore.Shim.Oci;

/// <summary>A file by which the shim and the OCI runtime tell each other something, once; it is gone when this is disposed of.</summary>
internal sealed class ScratchFile(string path) : IDisposable
{
    /// <summary>Where it is, or will be.</summary>
    public string Path => path;

    /// <summary>Has it with something in it.</summary>
    public ScratchFile With(ReadOnlySpan<byte> content)
    {
        OwnFile.Write(path, content);
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
