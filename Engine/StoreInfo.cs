namespace ImageStore.Engine;

/// <summary>A root in figures.</summary>
/// <param name="Version">This program's version.</param>
/// <param name="Runtime">The .NET version.</param>
/// <param name="Root">The root directory.</param>
/// <param name="Namespace">The namespace that the counts are of.</param>
/// <param name="Namespaces">All namespaces.</param>
/// <param name="Images">Images of the namespace.</param>
/// <param name="Blobs">Blobs that the namespace sees.</param>
/// <param name="BlobBytes">Their bytes.</param>
/// <param name="Ingests">Unfinished downloads of the namespace.</param>
/// <param name="IngestBytes">What they have so far, in bytes.</param>
/// <param name="Snapshots">How many snapshots of the namespace each snapshotter has.</param>
/// <param name="FreeBytes">What the root's filesystem has left for this user.</param>
public sealed record StoreInfo(
    string Version,
    string Runtime,
    string Root,
    string Namespace,
    IReadOnlyList<string> Namespaces,
    int Images,
    int Blobs,
    long BlobBytes,
    int Ingests,
    long IngestBytes,
    IReadOnlyDictionary<string, int> Snapshots,
    long FreeBytes);
