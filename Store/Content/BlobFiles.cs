using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Content;

/// <summary>The files behind all namespaces' blobs: one goes only when no namespace names it.</summary>
internal sealed class BlobFiles(MetadataDb db, BlobPaths paths, ContentGuards guards)
{
    /// <summary>Deletes the file of a blob unless some namespace sees it; gives the bytes that are free then, or null when it stays.</summary>
    /// <remarks>Whoever publishes or adopts the blob holds the same guard from the file to the row.</remarks>
    public long? DeleteUnnamed(Digest digest)
    {
        using var held = guards.Wait(digest);
        return IsNamed(digest) ? null : Delete(digest);
    }

    /// <summary>Deletes files that no namespace names: a crash between a file and its row leaves them.</summary>
    /// <param name="dryRun">Only count them.</param>
    /// <param name="cancellationToken">Stops between two files.</param>
    /// <returns>How many, and their bytes.</returns>
    public (int Files, long Bytes) Sweep(bool dryRun, CancellationToken cancellationToken)
    {
        var named = Named();
        var (count, bytes) = (0, 0L);
        foreach (var (digest, path) in paths.BlobFiles())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!named.Contains(digest.ToString()))
            {
                var freed = dryRun ? SizeOf(path) : DeleteUnnamed(digest);
                (count, bytes) = (count + (freed is null ? 0 : 1), bytes + (freed ?? 0));
            }
        }

        return (count, bytes);
    }

    // It may go while it is looked at.
    private static long? SizeOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : null;

    /// <summary>Whether some namespace sees the blob. Whoever acts on it holds the blob's guard.</summary>
    public bool IsNamed(Digest digest)
    {
        var text = digest.ToString();
        foreach (var ns in db.NamespacesOf(StoreTables.Content))
        {
            if (db.Get(StoreTables.Content, $"{ns}/{text}") is not null)
            {
                return true;
            }
        }

        return false;
    }

    private HashSet<string> Named()
    {
        HashSet<string> named = new(StringComparer.Ordinal);
        var seen = named.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (key, _) in db.List(StoreTables.Content, string.Empty))
        {
            seen.Add(key.AsSpan(key.IndexOf('/', StringComparison.Ordinal) + 1));
        }

        return named;
    }

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
