using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>Looks at what a target really holds of its images, for archives that leave that out.</summary>
internal static class Inventory
{
    private const int ParallelImages = 8;

    /// <summary>The blobs of every image that did not fail, as far as the target has them.</summary>
    public static async Task<ArchiveContents> TakeAsync(
        RegistryClient registry,
        MirrorSelection selection,
        IReadOnlyList<MirrorOutcome> outcomes,
        MirrorTarget target,
        CancellationToken cancellationToken)
    {
        if (target.IsArchive)
        {
            // What it says of itself, and what it counts on, the far side has when it has taken it.
            return target.Contents.Build();
        }

        var held = new ContentsBuilder();
        await Parallel.ForEachAsync(
            selection.Images.Zip(outcomes).Where(pair => pair.Second.Digest is not null),
            new ParallelOptions { MaxDegreeOfParallelism = ParallelImages, CancellationToken = cancellationToken },
            async (pair, token) =>
            {
                var (image, outcome) = pair;
                var to = target.For(image, []);
                await using var asking = to.ConfigureAwait(false);
                IImageSource place = target.Layout is { } layout
                    ? OciLayoutSource.OpenFolder(layout.Directory)
                    : new RepositorySource(registry.Repository(target.Map(image.Source, image.Path)!));
                await using var reading = place.ConfigureAwait(false);
                if (await place.FindAsync(outcome.Digest!.Value.ToString(), token).ConfigureAwait(false) is { } root)
                {
                    held.Name(image.Source.Canonical, root);
                    await WalkAsync(place, to, root, image.Source.RepositoryName, held, token).ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        return held.Build();
    }

    private static async Task WalkAsync(
        IImageSource place, IImageTarget asked, Descriptor root, string repository, ContentsBuilder held, CancellationToken cancellationToken)
    {
        Stack<(Descriptor Node, int Depth)> open = new([(root, 0)]);
        for (var seen = 0; open.TryPop(out var next) && seen <= OciLimits.MaxManifestsPerImage; seen++)
        {
            FetchedManifest fetched;
            try
            {
                fetched = await place.FetchManifestAsync(next.Node, cancellationToken).ConfigureAwait(false);
            }
            catch (ImageStoreException failure) when (failure.Kind == ErrorKind.NotFound)
            {
                // A sparse index has entries that are not there.
                continue;
            }

            held.Hold(next.Node, repository);
            var links = DocumentLinks.Parse(fetched.Bytes, next.Node.MediaType);
            foreach (var blob in links.Blobs)
            {
                if (await asked.HasBlobAsync(blob, cancellationToken).ConfigureAwait(false))
                {
                    held.Hold(blob, repository);
                }
            }

            foreach (var child in links.Manifests.Where(child => MediaTypes.IsDocument(child.MediaType) && next.Depth < OciLimits.MaxIndexDepth))
            {
                open.Push((child, next.Depth + 1));
            }
        }
    }
}
