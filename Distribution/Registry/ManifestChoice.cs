using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>Fetches what a reference names, or the image of one platform below it.</summary>
public static class ManifestChoice
{
    /// <summary>The manifest of <paramref name="platform"/>, best match first; the index itself when that is null.</summary>
    /// <exception cref="ImageStoreException">There is none for the platform (<see cref="ErrorKind.NotFound"/>), or the
    /// registry fails.</exception>
    public static async Task<FetchedManifest> FetchAsync(
        RepositoryClient repository, string tagOrDigest, Platform? platform, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(repository);
        var fetched = await repository.FetchManifestAsync(tagOrDigest, ct).ConfigureAwait(false);
        for (var depth = 0; platform is not null && MediaTypes.IsIndex(fetched.Descriptor.MediaType); depth++)
        {
            var index = OciDocument.ParseIndex(fetched.Bytes, fetched.Descriptor.MediaType);
            var best = index.CandidatesFor(platform) is [var first, ..] ? first : null;
            if (best is null || depth == OciLimits.MaxIndexDepth)
            {
                throw new ImageStoreException(
                    ErrorKind.NotFound,
                    $"{repository.Reference} has no image for the platform {platform}.",
                    $"'imagestore manifest {repository.Reference}' shows what it has.");
            }

            fetched = await repository.FetchManifestAsync(best, ct).ConfigureAwait(false);
        }

        return fetched;
    }
}
