namespace ImageStore.Snapshotters.Layers;

/// <summary>A hard link that can be made only once the lower layers are known. Paths are bytes in Latin-1.</summary>
public sealed record PendingLink
{
    internal PendingLink(string path, string target, TarEntry entry) => (Path, Target, Entry) = (path, target, entry);

    /// <summary>Where the link is to be.</summary>
    public string Path { get; }

    /// <summary>What it points at, perhaps through symbolic links.</summary>
    public string Target { get; }

    /// <summary>The metadata that it brings.</summary>
    internal TarEntry Entry { get; }
}
