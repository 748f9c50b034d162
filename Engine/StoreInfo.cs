namespace ImageStore.Engine;

/// <summary>A root in figures.</summary>
/// <param name="Root">The root directory.</param>
/// <param name="Namespace">The namespace that the counts are of.</param>
/// <param name="Namespaces">All namespaces.</param>
/// <param name="Images">Images of the namespace.</param>
/// <param name="Blobs">Blobs that the namespace sees.</param>
/// <param name="BlobBytes">Their bytes.</param>
/// <param name="Ingests">Unfinished downloads of the namespace.</param>
public sealed record StoreInfo(
    string Root,
    string Namespace,
    IReadOnlyList<string> Namespaces,
    int Images,
    int Blobs,
    long BlobBytes,
    int Ingests);
