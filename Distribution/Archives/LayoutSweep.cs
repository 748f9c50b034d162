using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>Removes the blobs of a layout that nothing in its index needs.</summary>
internal static class LayoutSweep
{
    // Another process writes blobs before it writes their entry; what is this young may be its own.
    private static readonly TimeSpan s_grace = TimeSpan.FromHours(1);

    /// <exception cref="ImageStoreException">A document is damaged: nothing was removed.</exception>
    public static async Task RunAsync(string directory, TimeProvider time, CancellationToken cancellationToken)
    {
        var needed = await NeededAsync(directory, cancellationToken).ConfigureAwait(false);
        var blobs = new DirectoryInfo(Path.Combine(directory, "blobs"));
        try
        {
            foreach (var file in blobs.EnumerateFiles("*", SearchOption.AllDirectories))
            {
                if (Digest.TryParse($"{file.Directory!.Name}:{file.Name}", out var digest)
                    && !needed.Contains(digest)
                    && time.GetUtcNow() - file.LastWriteTimeUtc > s_grace)
                {
                    file.Delete();
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, $"Removing blobs of {Printable.Of(directory)}");
        }
    }

    private static async Task<HashSet<Digest>> NeededAsync(string directory, CancellationToken cancellationToken)
    {
        var source = OciLayoutSource.OpenFolder(directory);
        await using var reading = source.ConfigureAwait(false);
        HashSet<Digest> needed = [];
        Stack<Descriptor> open = new(source.Images.Select(image => image.Target));
        while (open.TryPop(out var node))
        {
            if (!needed.Add(node.Digest) || !MediaTypes.IsDocument(node.MediaType) || !source.Holds(node))
            {
                continue;
            }

            var fetched = await source.FetchManifestAsync(node, cancellationToken).ConfigureAwait(false);
            var links = DocumentLinks.Parse(fetched.Bytes, node.MediaType);
            foreach (var child in links.Manifests.Concat(links.Blobs))
            {
                open.Push(child);
            }
        }

        return needed;
    }
}
