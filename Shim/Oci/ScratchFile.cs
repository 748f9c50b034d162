namespace ImageStore.Shim.Oci;

/// <summary>A file in a bundle that the OCI runtime reads once.</summary>
internal sealed class ScratchFile : IDisposable
{
    private static int s_number;

    /// <summary>Writes it; it is gone when this is disposed of.</summary>
    public ScratchFile(string bundle, ReadOnlySpan<byte> content)
    {
        Path = System.IO.Path.Combine(bundle, string.Create(System.Globalization.CultureInfo.InvariantCulture, $".scratch-{++s_number}"));
        BundleFiles.Write(Path, content);
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public void Dispose() => File.Delete(Path);
}
