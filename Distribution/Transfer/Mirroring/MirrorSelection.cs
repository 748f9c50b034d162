using System.Collections.Concurrent;
using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>The images of a run, and what could not be chosen.</summary>
/// <param name="Images">The images, each once.</param>
/// <param name="Failures">Repositories whose tags could not be listed, or that have none that was asked for.</param>
internal sealed record MirrorSelection(IReadOnlyList<MirrorImage> Images, IReadOnlyList<MirrorOutcome> Failures)
{
    private const int ParallelListings = 8;

    /// <summary>Asks the registries for tags where names alone do not say them.</summary>
    /// <param name="registry">The way to them.</param>
    /// <param name="config">What is asked for.</param>
    /// <param name="pins">A lock file's names; null where tags are taken as they are now.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    public static async Task<MirrorSelection> FromRegistriesAsync(
        RegistryClient registry, MirrorConfig config, IReadOnlyDictionary<string, Digest>? pins, CancellationToken cancellationToken)
    {
        var repositories = config.Repositories;
        var images = new IReadOnlyList<MirrorImage>[repositories.Count];
        ConcurrentBag<MirrorOutcome> failures = [];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, repositories.Count),
            new ParallelOptions { MaxDegreeOfParallelism = ParallelListings, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                try
                {
                    images[i] = pins is null
                        ? await ListAsync(registry, repositories[i], token).ConfigureAwait(false)
                        : Pinned(repositories[i], pins);
                }
                catch (ImageStoreException failure)
                {
                    images[i] = [];
                    failures.Add(MirrorOutcome.Failed(repositories[i].Source.RepositoryName, null, failure));
                }
            }).ConfigureAwait(false);
        return new MirrorSelection(
            [.. images.SelectMany(one => one).DistinctBy(image => (image.Source.Canonical, image.Path))],
            [.. failures.OrderBy(failure => failure.Source, StringComparer.Ordinal)]);
    }

    /// <summary>All images of an archive that have a full name; what refers to one of them comes along with it.</summary>
    /// <exception cref="ImageStoreException">A name is malformed.</exception>
    public static MirrorSelection FromArchive(IImageCollection archive, MirrorConfig config)
    {
        List<MirrorImage> images = [];
        foreach (var (name, target) in archive.Images)
        {
            if (name is null)
            {
                continue;
            }

            if (!LayoutNames.IsFull(name))
            {
                throw new ImageStoreException(
                    ErrorKind.InvalidArgument,
                    $"{Printable.Of(archive.Name)} holds the image '{Printable.Of(name)}', which does not say of which repository it is.",
                    "Copy it by itself, with 'imagestore copy', under the name that it is to have.");
            }

            var reference = ImageReference.Parse(name);
            var repository = config.Repositories.FirstOrDefault(one => one.Source.RepositoryName == reference.RepositoryName);
            images.Add(new MirrorImage(
                reference, target.Digest, repository?.Target, new CopyOptions { Sparse = true, Referrers = true }));
        }

        return new MirrorSelection(images, []);
    }

    private static async Task<IReadOnlyList<MirrorImage>> ListAsync(
        RegistryClient registry, MirrorRepository repository, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> tags = [];
        if (repository.Tags.NeedsListing)
        {
            using var client = registry.Repository(repository.Source);
            tags = await client.ListTagsAsync(cancellationToken).ConfigureAwait(false);
        }

        var chosen = repository.Tags.Choose([.. tags.Where(tag => ReferenceGrammar.IsTag(tag))]);
        return chosen.Count > 0
            ? [.. chosen.Select(tag => Of(repository, tag, null))]
            : throw new ImageStoreException(
                ErrorKind.NotFound,
                $"No tag of {repository.Source.RepositoryName} is chosen, of {tags.Count} in all.",
                "Check its tags, versions and except; 'imagestore tags' shows what there is.");
    }

    private static List<MirrorImage> Pinned(MirrorRepository repository, IReadOnlyDictionary<string, Digest> pins)
    {
        var name = repository.Source.RepositoryName;
        var found = pins.Keys.Where(key => key.StartsWith(name, StringComparison.Ordinal) && key.Length > name.Length && key[name.Length] is ':' or '@');
        var images = found.Select(key => Of(repository, key[(name.Length + 1)..], pins[key])).ToList();
        return images.Count > 0
            ? images
            : throw new ImageStoreException(
                ErrorKind.FailedPrecondition, $"The lock file pins nothing of {name}.", "Bring it up to date with --update-lock.");
    }

    private static MirrorImage Of(MirrorRepository repository, string tag, Digest? pinned) => new(
        ImageReference.Parse($"{repository.Source.RepositoryName}{(tag.Contains(':', StringComparison.Ordinal) ? '@' : ':')}{tag}"),
        pinned,
        repository.Target,
        repository.Options);
}
