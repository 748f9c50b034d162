using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Content;

/// <summary>The files behind all namespaces' blobs: one goes only when no namespace names it.</summary>
internal sealed class BlobFiles(MetadataDb db, BlobPaths paths, ContentGuards guards)
{
    /// <summary>Deletes the file of a blob unless some namespace sees it; gives the bytes that are free then.</summary>
    /// <remarks>Whoever publishes or adopts the blob holds the same guard from the file to the row.</remarks>
    public async Task<long> DeleteUnnamedAsync(Digest digest)
    {
        using var held = await guards.HoldAsync(digest, CancellationToken.None).ConfigureAwait(false);
        return IsNamed(digest) ? 0 : Delete(digest);
    }

    /// <summary>Deletes files that no namespace names: a crash between a file and its row leaves them.</summary>
    /// <returns>How many, and their bytes.</returns>
    public async Task<(int Files, long Bytes)> SweepAsync(CancellationToken cancellationToken)
    {
        var (count, bytes) = (0, 0L);
        foreach (var algorithm in (string[])["sha256", "sha512"])
        {
            foreach (var name in Names(paths.Blobs(algorithm)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (Digest.TryParse($"{algorithm}:{name}", out var digest) && !IsNamed(digest)
                    && await DeleteUnnamedAsync(digest).ConfigureAwait(false) is > 0 and var freed)
                {
                    (count, bytes) = (count + 1, bytes + freed);
                }
            }
        }

        return (count, bytes);
    }

    private static IEnumerable<string> Names(string directory) => Directory.Exists(directory)
        ? Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path)!)
        : [];

    private bool IsNamed(Digest digest) =>
        db.List(StoreTables.Namespaces, string.Empty).Any(ns => db.Get(StoreTables.Content, $"{ns.Key}/{digest}") is not null);

    private long Delete(Digest digest)
    {
        try
        {
            var file = new FileInfo(paths.Blob(digest));
            var bytes = file.Exists ? file.Length : 0;
            file.Delete();
            return bytes;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Deleting the blob {digest}");
        }
    }
}
