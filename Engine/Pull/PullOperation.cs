using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Unpack;
using ImageStore.Gc.Pressure;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Pull;

/// <summary>One pull: resolve, download and unpack in one streaming pass, then name the image.</summary>
internal sealed class PullOperation(
    Tenant tenant,
    ISnapshotter? snapshotter,
    LayerLimits limits,
    RegistryClient registry,
    Func<DiskSpace> disk,
    PullRequest request,
    TransferProgress progress)
{
    private const int MaxConcurrentDownloads = 4;
    private readonly IContentStore _content = tenant.Content;
    private readonly LeaseManager _leases = tenant.Leases;
    private readonly ImageReference _reference = ImageReference.Parse(request.Reference);
    private readonly string _name = request.Name ?? ImageReference.Parse(request.Reference).Canonical;
    private readonly Platform _platform = request.Platform ?? Platform.Current;

    public async Task<PullResult> RunAsync(CancellationToken cancellationToken)
    {
        var result = await StoredAsync(cancellationToken).ConfigureAwait(false) ?? await PullAsync(cancellationToken).ConfigureAwait(false);
        if (result.UpToDate && Changes(Labels.None) is { Count: > 0 } changes)
        {
            // Whoever has the name stand for something else meanwhile is not undone.
            await tenant.Images.UpdateAsync(
                result.Name, image => image with { Labels = Labels.Merge(image.Labels, changes) }, null, cancellationToken).ConfigureAwait(false);
        }

        if (request.Sync && snapshotter is not null)
        {
            await snapshotter.MarkSyncedAsync(TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        }

        return result;
    }

    /// <summary>What the store has, where the policy is not to ask the registry for it; null where it has to be asked.</summary>
    private async Task<PullResult?> StoredAsync(CancellationToken cancellationToken)
    {
        if (request.Policy == PullPolicy.Always)
        {
            return null;
        }

        if (tenant.Images.Find(_name) is { } image && await FindWholeAsync(image.Target, cancellationToken).ConfigureAwait(false) is { } manifest)
        {
            return await UnpackedAsync(image.Target, manifest, cancellationToken).ConfigureAwait(false)
                ?? Result(
                    image.Target,
                    manifest,
                    await new StoredImageUnpacker(tenant, snapshotter!, limits).UnpackAsync(image, _platform, progress, cancellationToken).ConfigureAwait(false),
                    upToDate: true,
                    0);
        }

        return request.Policy == PullPolicy.Missing ? null : throw new ImageStoreException(
            ErrorKind.NotFound,
            $"{_reference} is not in the store, or not all of it, and the pull policy is never to ask its registry.",
            "Pull it with --policy missing.");
    }

    private async Task<PullResult> PullAsync(CancellationToken cancellationToken)
    {
        progress.Phase = "resolving";
        using var repository = registry.Repository(_reference);
        var target = await repository.ResolveAsync(
            _reference.Digest?.ToString() ?? _reference.Tag!, cancellationToken).ConfigureAwait(false);
        if (await UpToDateAsync(target, cancellationToken).ConfigureAwait(false) is { } nothingToDo)
        {
            progress.Phase = "up to date";
            return nothingToDo;
        }

        // Left to expire when the pull fails, so that what it verified is still there for the next one.
        var lease = await _leases.CreateForAsync("pull", cancellationToken).ConfigureAwait(false);
        progress.Phase = "pulling";
        var walker = new ManifestWalker(_content, repository, _reference, lease, progress);
        var chosen = await walker.SelectAsync(target, _platform, cancellationToken).ConfigureAwait(false);
        var others = request.AllPlatforms
            ? await walker.AllAsync(target, cancellationToken).ConfigureAwait(false)
            : [];

        CheckRoom(chosen, others);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var fetcher = new BlobFetcher(_content, repository, _reference, lease, MaxConcurrentDownloads, progress, stop.Token);
        var chainId = await TransferAsync(fetcher, chosen, others, lease, stop).ConfigureAwait(false);
        progress.Phase = "naming";
        var summary = await new ImageLister(_content).SumUpAsync(target, cancellationToken).ConfigureAwait(false);
        await tenant.Images.PutAsync(
            _name, target, Changes(summary.ToLabels(target)), cancellationToken).ConfigureAwait(false);
        await _leases.DeleteAsync(lease.Id, CancellationToken.None).ConfigureAwait(false);
        progress.Phase = "done";
        return Result(target, chosen, chainId, upToDate: false, fetcher.Downloaded);
    }

    /// <summary>Refuses what cannot fit before the first byte of it is asked for.</summary>
    private void CheckRoom(StoredManifest chosen, IReadOnlyList<StoredManifest> others)
    {
        // What an earlier pull has left of them counts already.
        var left = _content.ListIngests().ToDictionary(ingest => ingest.Ref, ingest => ingest.Offset, StringComparer.Ordinal);
        var bytes = others.Prepend(chosen)
            .SelectMany(manifest => manifest.Manifest.Layers.Prepend(manifest.Manifest.Config))
            .DistinctBy(blob => blob.Digest)
            .Where(blob => _content.Find(blob.Digest) is null)
            .Sum(blob => Math.Max(0, blob.Size - left.GetValueOrDefault(BlobFetcher.Ref(blob.Digest))));
        tenant.CheckQuota(bytes, _reference.ToString());
        if (request.KeepFree?.Refusal(disk(), bytes, _reference.ToString()) is { } refusal)
        {
            throw refusal;
        }
    }

    private async Task<Digest?> TransferAsync(
        BlobFetcher fetcher, StoredManifest chosen, IReadOnlyList<StoredManifest> others, Lease lease, CancellationTokenSource stop)
    {
        List<Task> running = [];
        try
        {
            var config = chosen.Manifest.Config;
            await (await fetcher.Start(config, progress.Add(config, "config")).ConfigureAwait(false)).Committed.ConfigureAwait(false);
            var layers = chosen.Manifest.Layers.Select(layer => (layer, progress.Add(layer, "layer"))).ToList();
            var fetches = layers.Select(pair => fetcher.Start(pair.layer, pair.Item2)).ToList();
            running.AddRange(fetches.Select(Committed));
            running.AddRange(others
                .Where(other => other.Descriptor.Digest != chosen.Descriptor.Digest)
                .SelectMany(other => other.Manifest.Layers.Prepend(other.Manifest.Config))
                .Select(blob => Committed(fetcher.Start(blob, progress.Add(blob, "layer")))));

            Task<Digest?> unpack = Task.FromResult<Digest?>(null);
            if (snapshotter is not null && StoredImage.IsFilesystem(chosen.Manifest))
            {
                unpack = UnpackAsync(chosen, layers, fetches, lease, stop.Token);
                running.Add(unpack);
            }

            await Fail.FastAsync(running, stop).ConfigureAwait(false);
            return await unpack.ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Fail.SettleAsync(running).ConfigureAwait(false);
            throw;
        }

        static async Task Committed(Task<FetchedBlob> fetch) =>
            await (await fetch.ConfigureAwait(false)).Committed.ConfigureAwait(false);
    }

    private async Task<Digest?> UnpackAsync(
        StoredManifest chosen,
        List<(Descriptor Layer, BlobProgress Progress)> layers,
        List<Task<FetchedBlob>> fetches,
        Lease lease,
        CancellationToken cancellationToken)
    {
        var config = await new StoredImage(_content).ConfigAsync(chosen.Manifest, cancellationToken).ConfigureAwait(false);
        var chain = ChainId.Of(config.RootFs.DiffIds);
        var target = snapshotter!;
        await _leases.AddAsync(lease, ImageUnpacker.Needs(target, chain), cancellationToken).ConfigureAwait(false);
        var sources = layers.Select((pair, i) => new LayerSource(
            pair.Layer,
            config.RootFs.DiffIds[i],
            chain[i],
            async token => await (await fetches[i].ConfigureAwait(false))
                .OpenAsync(_content, pair.Layer.Digest, token).ConfigureAwait(false),
            async () => await (await fetches[i].ConfigureAwait(false)).Committed.ConfigureAwait(false),
            pair.Progress)).ToList();
        var top = await new ImageUnpacker(target, tenant, limits).UnpackAsync(sources, cancellationToken).ConfigureAwait(false);
        await _content.UpdateLabelsAsync(
            chosen.Manifest.Config.Digest,
            new Dictionary<string, string> { [Labels.RefSnapshotPrefix + target.Name] = top.ToString() },
            cancellationToken).ConfigureAwait(false);
        return top;
    }

    private async Task<PullResult?> UpToDateAsync(Descriptor target, CancellationToken cancellationToken) =>
        !request.AllPlatforms
            && tenant.Images.Find(_name)?.Target.Digest == target.Digest
            && await FindWholeAsync(target, cancellationToken).ConfigureAwait(false) is { } manifest
            ? await UnpackedAsync(target, manifest, cancellationToken).ConfigureAwait(false)
            : null;

    /// <summary>The platform's manifest, when the store has all that is asked for; else null.</summary>
    private async Task<StoredManifest?> FindWholeAsync(Descriptor target, CancellationToken cancellationToken)
    {
        var stored = new StoredImage(_content);
        return await stored.FindManifestAsync(target, _platform, cancellationToken).ConfigureAwait(false) is { } manifest
            && stored.IsComplete(manifest.Manifest)
            && (!request.AllPlatforms || await stored.IsWholeAsync(target, cancellationToken).ConfigureAwait(false))
                ? manifest
                : null;
    }

    /// <summary>The result of a pull that has nothing to do; null when the image is still to be unpacked.</summary>
    private async Task<PullResult?> UnpackedAsync(Descriptor target, StoredManifest manifest, CancellationToken cancellationToken)
    {
        if (snapshotter is null || !StoredImage.IsFilesystem(manifest.Manifest))
        {
            return Result(target, manifest, null, upToDate: true, 0);
        }

        var config = await new StoredImage(_content).ConfigAsync(manifest.Manifest, cancellationToken).ConfigureAwait(false);
        var top = ChainId.Of(config.RootFs.DiffIds)[^1];

        // A chain that the config does not hold yet, since whoever unpacked it died, would go with the next collection.
        return IsHeld(manifest.Manifest.Config, top) && await snapshotter.StatAsync(top.ToString(), cancellationToken).ConfigureAwait(false) is { Kind: SnapshotKind.Committed }
            ? Result(target, manifest, top, upToDate: true, 0)
            : null;
    }

    private bool IsHeld(Descriptor config, Digest top) =>
        _content.Find(config.Digest)?.Labels.GetValueOrDefault(Labels.RefSnapshotPrefix + snapshotter!.Name) == top.ToString();

    /// <summary>How the name's labels change: an empty value takes one away.</summary>
    private Dictionary<string, string> Changes(IReadOnlyDictionary<string, string> described)
    {
        var changes = new Dictionary<string, string>(described, StringComparer.Ordinal);
        var pins = request.Pin ? PinClaims.ByHand(tenant.Images.Find(_name)?.Labels ?? Labels.None, pinned: true) : [];
        foreach (var (key, value) in request.Labels.Concat(pins))
        {
            changes[key] = value;
        }

        return changes;
    }

    private PullResult Result(Descriptor target, StoredManifest chosen, Digest? chainId, bool upToDate, long downloaded) =>
        new(
            _name,
            target,
            chosen.Descriptor.Digest,
            upToDate,
            chainId is null ? null : snapshotter?.Name,
            chainId,
            downloaded);
}
