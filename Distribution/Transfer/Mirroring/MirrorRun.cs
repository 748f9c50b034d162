using System.Collections.Concurrent;
using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>Copies a set of repositories; what fails is told at the end, and the rest is copied all the same.</summary>
/// <param name="registry">The way to registries.</param>
/// <param name="config">What is mirrored.</param>
/// <param name="options">How.</param>
/// <param name="input">What an archive called <c>-</c> is read from.</param>
/// <param name="output">What an archive called <c>-</c> is written to.</param>
public sealed class MirrorRun(RegistryClient registry, MirrorConfig config, MirrorOptions options, Func<Stream> input, Func<Stream> output)
{
    private readonly BlobLocations _locations = new();
    private readonly ConcurrentDictionary<string, Digest> _resolved = new(StringComparer.Ordinal);

    /// <summary>Runs it.</summary>
    /// <param name="told">Is told each image's outcome as it comes, from any thread.</param>
    /// <param name="cancellationToken">Stops it; what is copied by then stays.</param>
    /// <exception cref="ImageStoreException">Nothing could be done at all: a file or place is wrong, or an archive is damaged.</exception>
    public async Task<MirrorReport> RunAsync(Action<MirrorOutcome> told, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(told);
        CheckOptions();
        var archive = await OpenSourceAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await RunAsync(archive, told, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (archive is not null)
            {
                await archive.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task<MirrorReport> RunAsync(IImageCollection? archive, Action<MirrorOutcome> told, CancellationToken cancellationToken)
    {
        var target = MirrorTarget.Open(
            registry, options.To ?? config.To ?? throw Missing(), config.RegistryInPath, options.DryRun, output);
        await using var writing = target.ConfigureAwait(false);
        var have = await HoldingsAsync(cancellationToken).ConfigureAwait(false);

        var selection = archive is null
            ? await MirrorSelection.FromRegistriesAsync(registry, config, ReadLock(), cancellationToken).ConfigureAwait(false)
            : MirrorSelection.FromArchive(archive, config);
        CheckNames(selection, target);
        var source = archive is null ? null : await ArrivalAsync(archive, selection, target, cancellationToken).ConfigureAwait(false);

        var outcomes = await CopyAllAsync(selection, source, target, have, told, cancellationToken).ConfigureAwait(false);
        foreach (var failure in selection.Failures)
        {
            told(failure);
        }

        if (!options.DryRun && outcomes.Any(outcome => outcome.Status != MirrorStatus.Failed))
        {
            await target.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }

        var pruned = await PruneAsync(selection, outcomes, target, told, cancellationToken).ConfigureAwait(false);
        if (!options.DryRun)
        {
            await WriteFilesAsync(selection, outcomes, target, cancellationToken).ConfigureAwait(false);
        }

        return new MirrorReport(
            options.DryRun, [.. outcomes, .. selection.Failures, .. pruned], outcomes.Sum(outcome => outcome.Bytes), target.FreeBytes());
    }

    private void CheckOptions()
    {
        if (options.Prune && options.StateFile is null)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                "Only what an earlier run is known to have put there is removed, and no state file tells what that is.",
                "Give --state FILE, from the first run on.");
        }

        if (config.Repositories.Count == 0 && (options.From ?? config.From) is null)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, "There is nothing to mirror.", "Give a file with -f, or an archive with --from.");
        }
    }

    private async Task<IImageCollection?> OpenSourceAsync(CancellationToken cancellationToken)
    {
        if ((options.From ?? config.From) is not { } text)
        {
            return null;
        }

        var place = Place.Parse(text);
        return place.Kind switch
        {
            PlaceKind.OciLayout => OciLayoutSource.OpenFolder(place.Path),
            PlaceKind.OciArchive or PlaceKind.DockerArchive => await ImageArchive.OpenAsync(
                place.Path, place.IsStandardStream ? input() : null, cancellationToken).ConfigureAwait(false),
            _ => throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(text)}' is no archive or layout to mirror from.",
                "Write oci-archive:FILE or oci:DIR; registries are named by the repositories of the file."),
        };
    }

    private async Task<IReadOnlyList<IHoldings>> HoldingsAsync(CancellationToken cancellationToken)
    {
        List<IHoldings> have = [];
        foreach (var text in options.Have)
        {
            have.Add(File.Exists(text)
                ? new WrittenHoldings(await ArchiveContents.ReadFileAsync(text, cancellationToken).ConfigureAwait(false))
                : text.Contains("://", StringComparison.Ordinal) || text.StartsWith('/') || text.StartsWith('.')
                    ? throw new ImageStoreException(ErrorKind.NotFound, $"{Printable.Of(text)} is not there.", "Check the path.")
                    : new RegistryHoldings(registry, MirrorPrefix.Parse(text, config.RegistryInPath)));
        }

        return have;
    }

    private SortedDictionary<string, Digest>? ReadLock() =>
        options.LockFile is { } file && !options.UpdateLock ? MirrorJson.Read(file) : null;

    // Two images under one name would each overwrite the other.
    private static void CheckNames(MirrorSelection selection, MirrorTarget target)
    {
        Dictionary<string, MirrorImage> names = new(StringComparer.Ordinal);
        foreach (var image in selection.Images)
        {
            var name = target.NameOf(image);
            if (!names.TryAdd(name, image))
            {
                throw new ImageStoreException(
                    ErrorKind.InvalidArgument,
                    $"Both {names[name].Source} and {image.Source} would become {name}.",
                    "Give one of them another path with 'to', or set 'registry-in-path: true'.");
            }
        }
    }

    private async Task<IImageSource> ArrivalAsync(
        IImageCollection archive, MirrorSelection selection, MirrorTarget target, CancellationToken cancellationToken)
    {
        if (ArchiveContents.Of(archive) is not { } contents)
        {
            return new DeltaSource(archive, new Dictionary<Digest, RepositorySource?>());
        }

        await contents.VerifyAsync(archive, cancellationToken).ConfigureAwait(false);
        return await Elsewhere.FindAsync(registry, archive, contents, selection, target, cancellationToken).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<MirrorOutcome>> CopyAllAsync(
        MirrorSelection selection,
        IImageSource? source,
        MirrorTarget target,
        IReadOnlyList<IHoldings> have,
        Action<MirrorOutcome> told,
        CancellationToken cancellationToken)
    {
        var outcomes = new MirrorOutcome[selection.Images.Count];

        // Tags of one image wait for each other, so neighbours are taken from different repositories.
        var order = target.IsArchive ? Enumerable.Range(0, outcomes.Length) : Enumerable.Range(0, outcomes.Length)
            .GroupBy(i => selection.Images[i].Source.RepositoryName)
            .SelectMany(repository => repository.Select((i, place) => (i, place)))
            .OrderBy(entry => entry.place)
            .Select(entry => entry.i);
        await Parallel.ForEachAsync(
            order,
            new ParallelOptions { MaxDegreeOfParallelism = target.IsArchive ? 1 : options.Parallel, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                var image = selection.Images[i];
                try
                {
                    outcomes[i] = await CopyAsync(image, source, target, have, token).ConfigureAwait(false);
                }
                catch (ImageStoreException failure)
                {
                    outcomes[i] = MirrorOutcome.Failed(image.Source.Canonical, target.NameOf(image), failure);
                }

                told(outcomes[i]);
            }).ConfigureAwait(false);
        return outcomes;
    }

    private async Task<MirrorOutcome> CopyAsync(
        MirrorImage image, IImageSource? shared, MirrorTarget target, IReadOnlyList<IHoldings> have, CancellationToken cancellationToken)
    {
        var source = shared ?? new RepositorySource(registry.Repository(image.Source));
        try
        {
            var root = await source.FindAsync(image.Identifier, cancellationToken).ConfigureAwait(false)
                ?? throw new ImageStoreException(
                    ErrorKind.NotFound, $"{image.Source} is not there.", "Check its name; 'imagestore tags' shows what there is.");
            _resolved[image.Source.Canonical] = root.Digest;
            var to = target.For(image, have);
            await using var writing = to.ConfigureAwait(false);
            var copied = await new ImageCopier(source, to, image.Options with { DryRun = options.DryRun }, _locations)
                .CopyAsync(root, target.TagOf(image), new TransferProgress(), cancellationToken).ConfigureAwait(false);
            return new MirrorOutcome(
                image.Source.Canonical, target.NameOf(image), copied.UpToDate ? MirrorStatus.UpToDate : MirrorStatus.Copied)
            {
                Digest = copied.Target.Digest, Blobs = copied.BlobsCopied, Bytes = copied.BytesCopied,
            };
        }
        finally
        {
            if (shared is null)
            {
                await source.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task<IReadOnlyList<MirrorOutcome>> PruneAsync(
        MirrorSelection selection,
        IReadOnlyList<MirrorOutcome> outcomes,
        MirrorTarget target,
        Action<MirrorOutcome> told,
        CancellationToken cancellationToken)
    {
        if (options.StateFile is not { } file)
        {
            return [];
        }

        var state = MirrorJson.Read(file) ?? new SortedDictionary<string, Digest>(StringComparer.Ordinal);
        var wanted = outcomes.Select(outcome => outcome.Target!).ToHashSet(StringComparer.Ordinal);
        IReadOnlyList<MirrorOutcome> pruned = [];
        if (options.Prune)
        {
            var stale = state.Where(entry => !wanted.Contains(entry.Key)).ToList();

            // Where the choice itself failed, nobody can say what is no longer chosen.
            pruned = selection.Failures.Count > 0
                ? MirrorPrune.KeepAll(stale, "not all images could be chosen", told)
                : await new MirrorPrune(registry, target, options).RunAsync(stale, wanted, told, cancellationToken).ConfigureAwait(false);
            foreach (var gone in pruned.Where(outcome => outcome.Status == MirrorStatus.Pruned))
            {
                state.Remove(gone.Target!);
            }
        }

        if (!options.DryRun)
        {
            foreach (var outcome in outcomes.Where(outcome => outcome.Digest is not null))
            {
                state[outcome.Target!] = outcome.Digest!.Value;
            }

            MirrorJson.Write(file, state);
        }

        return pruned;
    }

    private async Task WriteFilesAsync(
        MirrorSelection selection, IReadOnlyList<MirrorOutcome> outcomes, MirrorTarget target, CancellationToken cancellationToken)
    {
        if (options.LockFile is { } lockFile && (options.UpdateLock || !File.Exists(lockFile)))
        {
            MirrorJson.Write(lockFile, new SortedDictionary<string, Digest>(_resolved, StringComparer.Ordinal));
        }

        if (options.Inventory is { } inventory)
        {
            var contents = await Transfer.Mirroring.Inventory.TakeAsync(registry, selection, outcomes, target, cancellationToken).ConfigureAwait(false);
            WholeFile.Write(inventory, contents.ToBytes(), WholeFile.Public);
        }
    }

    private static ImageStoreException Missing() => new(
        ErrorKind.InvalidArgument, "It is not said where to mirror to.", "Give --to HOST[/PATH], or 'to' in the file.");
}
