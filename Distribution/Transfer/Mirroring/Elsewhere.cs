using System.Collections.Concurrent;
using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>Proves that the target has what an archive left out, before anything is written to it.</summary>
internal static class Elsewhere
{
    private const int ParallelRequests = 8;
    private const int MaxShown = 5;

    /// <summary>The archive together with what the target has already.</summary>
    /// <exception cref="ImageStoreException">The target lacks something (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public static async Task<IImageSource> FindAsync(
        RegistryClient registry,
        IImageCollection archive,
        ArchiveContents contents,
        MirrorSelection selection,
        MirrorTarget target,
        CancellationToken cancellationToken)
    {
        ConcurrentDictionary<Digest, RepositorySource?> found = new();
        ConcurrentBag<HeldBlob> missing = [];
        var paths = selection.Images.DistinctBy(image => image.Source.RepositoryName)
            .ToDictionary(image => image.Source.RepositoryName, image => image.Path);
        await Parallel.ForEachAsync(
            contents.Elsewhere,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelRequests, CancellationToken = cancellationToken },
            async (blob, token) =>
            {
                if (target.Layout is { } layout)
                {
                    if (await layout.HasBlobAsync(blob.ToDescriptor(), token).ConfigureAwait(false))
                    {
                        found[blob.Digest] = null;
                        return;
                    }
                }
                else if (blob.Repository is { } name
                    && target.Map(ImageReference.Parse(name), paths.GetValueOrDefault(name)) is { } there)
                {
                    var repository = registry.Repository(there);
                    if (await repository.HasBlobAsync(blob.ToDescriptor(), token).ConfigureAwait(false))
                    {
                        found[blob.Digest] = new RepositorySource(repository);
                        return;
                    }

                    repository.Dispose();
                }

                missing.Add(blob);
            }).ConfigureAwait(false);
        return missing.IsEmpty
            ? new DeltaSource(archive, found)
            : throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"{Printable.Of(archive.Name)} leaves out {missing.Count} blobs that the target should have and has not: "
                    + string.Join(", ", missing.OrderBy(blob => blob.Digest.ToString(), StringComparer.Ordinal).Take(MaxShown)
                        .Select(blob => $"{blob.Digest} of {Printable.Of(blob.Repository ?? "an image")}"))
                    + (missing.Count > MaxShown ? ", …" : string.Empty) + ".",
                "Bring over the earlier archive first, or make this one anew with an --inventory of the target, or without --have.");
    }
}
