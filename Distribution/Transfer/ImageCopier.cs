using System.Collections.Concurrent;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>Copies images from one place to another, byte for byte and in the order that lets nobody see half of one.</summary>
/// <remarks>Blobs stream from the source to the target; nothing is kept on disk between.</remarks>
public sealed class ImageCopier(IImageSource source, IImageTarget target, CopyOptions options, BlobLocations locations)
{
    /// <summary>Copies the image that <paramref name="root"/> names, and names it <paramref name="tag"/> in the target.</summary>
    /// <exception cref="ImageStoreException">What failed; what was sent by then stays, and a repeat sends the rest.</exception>
    public async Task<CopyResult> CopyAsync(
        Descriptor root, string? tag, TransferProgress progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(progress);
        progress.Phase = "resolving";
        var there = string.IsNullOrEmpty(tag) ? null : await target.FindAsync(tag, cancellationToken).ConfigureAwait(false);
        if (there?.Digest == root.Digest && options is { Referrers: false, DigestTags: false, Sparse: false, Platforms: null })
        {
            progress.Phase = "up to date";
            return new CopyResult(root, root, UpToDate: true, 0, 0, 0, 0, 0, []);
        }

        // docker-registry writes its links in place: who reads one while another request writes the same gets an error.
        using var turn = await locations.EnterAsync(root, $"image {target.Name}", cancellationToken).ConfigureAwait(false);
        var plan = await new CopyPlanner(source, options).PlanAsync(root, cancellationToken).ConfigureAwait(false);
        var missing = await MissingAsync(plan, cancellationToken).ConfigureAwait(false);
        progress.Phase = "copying";
        var blobs = await CopyBlobsAsync(missing, progress, cancellationToken).ConfigureAwait(false);
        var tagged = there?.Digest == plan.Target.Digest;
        if (!options.DryRun)
        {
            await PutDocumentsAsync(plan, missing, tagged ? null : tag, cancellationToken).ConfigureAwait(false);
        }

        progress.Phase = "done";
        return new CopyResult(
            root,
            plan.Target,
            UpToDate: missing.Count == 0 && (tagged || tag is null),
            missing.Count,
            blobs.Count(blob => blob.Outcome == Outcome.Sent),
            blobs.Where(blob => blob.Outcome == Outcome.Sent).Sum(blob => blob.Blob.Size),
            blobs.Count(blob => blob.Outcome == Outcome.Mounted),
            blobs.Where(blob => blob.Outcome is Outcome.Mounted or Outcome.Present).Sum(blob => blob.Blob.Size),
            [.. blobs.Where(blob => blob.Outcome == Outcome.Skipped).Select(blob => blob.Blob.Digest)]);
    }

    private async Task<HashSet<PlannedDocument>> MissingAsync(CopyPlan plan, CancellationToken cancellationToken)
    {
        ConcurrentDictionary<PlannedDocument, bool> missing = new(ReferenceEqualityComparer.Instance);
        await Parallel.ForEachAsync(plan.Documents, Parallelism(cancellationToken), async (document, token) =>
        {
            if (!await target.HasManifestAsync(document.Manifest.Descriptor, token).ConfigureAwait(false)
                || (document.Tag is { } own && (await target.FindAsync(own, token).ConfigureAwait(false))?.Digest
                    != document.Manifest.Descriptor.Digest))
            {
                missing[document] = true;
            }
        }).ConfigureAwait(false);
        return new HashSet<PlannedDocument>(missing.Keys, ReferenceEqualityComparer.Instance);
    }

    private async Task<IReadOnlyList<(Descriptor Blob, Outcome Outcome)>> CopyBlobsAsync(
        HashSet<PlannedDocument> missing, TransferProgress progress, CancellationToken cancellationToken)
    {
        var blobs = missing
            .SelectMany(document => document.Blobs)
            .DistinctBy(blob => blob.Digest)
            .OrderBy(blob => blob.Digest.ToString(), StringComparer.Ordinal)
            .Select(blob => (Blob: blob, Progress: progress.Add(blob, MediaTypes.IsConfig(blob.MediaType) ? "config" : "layer")))
            .ToList();
        ConcurrentBag<(Descriptor, Outcome)> done = [];
        await Parallel.ForEachAsync(blobs, Parallelism(cancellationToken), async (item, token) =>
            done.Add((item.Blob, await CopyBlobAsync(item.Blob, item.Progress, token).ConfigureAwait(false)))).ConfigureAwait(false);
        return [.. done];
    }

    private async Task<Outcome> CopyBlobAsync(Descriptor blob, BlobProgress progress, CancellationToken cancellationToken)
    {
        using var turn = await locations.EnterAsync(blob, PlaceName, cancellationToken).ConfigureAwait(false);
        var outcome = await ObtainAsync(blob, progress, cancellationToken).ConfigureAwait(false);
        if (outcome != Outcome.Skipped)
        {
            Remember(blob);
        }

        (progress.Done, progress.State) = (blob.Size, outcome == Outcome.Sent ? BlobState.Done : BlobState.Exists);
        return outcome;
    }

    private async Task<Outcome> ObtainAsync(Descriptor blob, BlobProgress progress, CancellationToken cancellationToken)
    {
        if (await target.HasBlobAsync(blob, cancellationToken).ConfigureAwait(false))
        {
            return Outcome.Present;
        }

        if (options.DryRun)
        {
            return locations.Plan(blob, PlaceName) ? Outcome.Sent : Outcome.Present;
        }

        var elsewhere = target is RepositoryTarget to ? locations.Find(blob, to.Registry) : null;
        if (await target.TryMountAsync(blob, elsewhere ?? source, cancellationToken).ConfigureAwait(false))
        {
            return Outcome.Mounted;
        }

        progress.State = BlobState.Sending;
        try
        {
            await target.PutBlobAsync(
                blob,
                (offset, token) => OpenAsync(blob, offset, token),
                new Reporter(progress),
                cancellationToken).ConfigureAwait(false);
            return Outcome.Sent;
        }
        catch (ImageStoreException failure)
            when (MediaTypes.IsNonDistributable(blob.MediaType) && failure.Kind is ErrorKind.NotFound or ErrorKind.Unsupported)
        {
            // The source need not hold it, and neither does the target; addresses outside are never followed.
            return Outcome.Skipped;
        }
    }

    private Task<Stream> OpenAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
        blob.Data is { } inline && inline.LongLength == blob.Size
            ? Task.FromResult<Stream>(new MemoryStream(inline, (int)offset, inline.Length - (int)offset, writable: false))
            : source.OpenBlobAsync(blob, offset, cancellationToken);

    private void Remember(Descriptor blob)
    {
        if (target is RepositoryTarget to)
        {
            locations.Add(blob, to.Registry, to.AsSource);
        }
    }

    private async Task PutDocumentsAsync(
        CopyPlan plan, HashSet<PlannedDocument> missing, string? tag, CancellationToken cancellationToken)
    {
        PlannedDocument? named = null;
        foreach (var document in plan.Documents)
        {
            if (document.Manifest.Descriptor.Digest == plan.Target.Digest && tag is not null)
            {
                named = document;
            }
            else if (missing.Contains(document))
            {
                await PutAsync(document, cancellationToken).ConfigureAwait(false);
            }
        }

        // The name comes last, when all that it stands for is there.
        if (named is not null)
        {
            await target.PutManifestAsync(named.Manifest, tag, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task PutAsync(PlannedDocument document, CancellationToken cancellationToken)
    {
        // Images share manifests, too.
        var (manifest, place) = (document.Manifest.Descriptor, $"manifests {target.Name}");
        using var turn = await locations.EnterAsync(manifest, place, cancellationToken).ConfigureAwait(false);
        if (document.Tag is not null || !locations.IsWritten(manifest, place))
        {
            await target.PutManifestAsync(document.Manifest, document.Tag, cancellationToken).ConfigureAwait(false);
            locations.Written(manifest, place);
        }
    }

    // A blob in one repository of a registry is as good as in all of them: it can be mounted.
    private string PlaceName => target is RepositoryTarget to ? to.Registry : target.Name;

    private ParallelOptions Parallelism(CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = target.MaxConcurrency, CancellationToken = cancellationToken };

    private enum Outcome
    {
        Present,
        Mounted,
        Sent,
        Skipped,
    }

    private sealed class Reporter(BlobProgress progress) : IProgress<long>
    {
        public void Report(long value) => progress.Done = value;
    }
}
