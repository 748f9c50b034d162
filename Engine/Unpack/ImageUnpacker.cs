using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Unpack;

/// <summary>Turns the layers of an image into a chain of committed snapshots.</summary>
/// <remarks>
/// Layers unpack side by side, each into a snapshot of its own and while it downloads; they are committed base
/// first, since only then it is known what a layer's whiteouts and implied directories refer to.
/// </remarks>
internal sealed class ImageUnpacker(ISnapshotter snapshotter, Tenant tenant, LayerLimits limits)
{
    /// <summary>What the keys of unfinished layers begin with; the same as containerd's.</summary>
    public const string ExtractPrefix = "extract-";

    private const string SnapshotRef = "containerd.io/snapshot.ref";

    /// <summary>What a lease has to hold before it is looked which layers are there: those of other images must not go before ours stand on them.</summary>
    public static IReadOnlyList<LeaseResource> Needs(ISnapshotter snapshotter, IReadOnlyList<Digest> chain) =>
        [.. chain.Select(id => new LeaseResource($"snapshots/{snapshotter.Name}", id.ToString()))];

    /// <summary>Unpacks what is missing of the chain.</summary>
    /// <returns>The chain ID of the topmost layer.</returns>
    public async Task<Digest> UnpackAsync(IReadOnlyList<LayerSource> layers, CancellationToken cancellationToken)
    {
        var missing = await FirstMissingAsync(layers, cancellationToken).ConfigureAwait(false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var gate = new SemaphoreSlim(Environment.ProcessorCount, Environment.ProcessorCount);
        Task previous = Task.CompletedTask;
        List<Task> all = [];
        for (var i = missing; i < layers.Count; i++)
        {
            var parent = i == 0 ? null : layers[i - 1].ChainId.ToString();
            previous = LayerAsync(layers[i], parent, previous, gate, stop);
            all.Add(previous);
        }

        await Task.WhenAll(all).ConfigureAwait(false);
        for (var i = 0; i < missing; i++)
        {
            await layers[i].Committed().ConfigureAwait(false);
            layers[i].Progress.State = BlobState.Done;
        }

        return layers[^1].ChainId;
    }

    private async Task<int> FirstMissingAsync(IReadOnlyList<LayerSource> layers, CancellationToken cancellationToken)
    {
        for (var i = layers.Count; i > 0; i--)
        {
            if (await snapshotter.StatAsync(layers[i - 1].ChainId.ToString(), cancellationToken).ConfigureAwait(false)
                is { Kind: SnapshotKind.Committed })
            {
                return i;
            }
        }

        return 0;
    }

    private async Task LayerAsync(
        LayerSource layer, string? parent, Task previous, SemaphoreSlim gate, CancellationTokenSource stop)
    {
        var key = $"{ExtractPrefix}{Guid.NewGuid():N} {layer.ChainId}";
        var prepared = false;
        try
        {
            using var reserved = tenant.Reserve($"unpacking {layer.Descriptor.Digest}");
            AppliedLayer applied;
            await gate.WaitAsync(stop.Token).ConfigureAwait(false);
            try
            {
                var snapshot = await snapshotter.PrepareLayerAsync(key, Labels.None, stop.Token).ConfigureAwait(false);
                prepared = true;
                applied = await ApplyAsync(layer, snapshot, reserved, stop.Token).ConfigureAwait(false);
            }
            finally
            {
                gate.Release();
            }

            await layer.Committed().ConfigureAwait(false);
            await previous.ConfigureAwait(false);
            await CommitAsync(layer, key, parent, applied, stop.Token).ConfigureAwait(false);
            layer.Progress.State = BlobState.Done;
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            if (prepared)
            {
                await DiscardAsync(key).ConfigureAwait(false);
            }

            throw;
        }
    }

    private Task<AppliedLayer> ApplyAsync(
        LayerSource layer, LayerSnapshot snapshot, QuotaReservation reserved, CancellationToken cancellationToken) => LayerReading.RunAsync(
        layer,
        (compressed, compression, onBytes) => snapshot.Apply(compressed, compression, limits, onBytes, cancellationToken),
        reserved.GrowTo,
        cancellationToken);

    private async Task CommitAsync(
        LayerSource layer, string key, string? parent, AppliedLayer applied, CancellationToken cancellationToken)
    {
        var name = layer.ChainId.ToString();
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [SnapshotRef] = name };
        try
        {
            await snapshotter.CommitLayerAsync(name, key, parent, applied, labels, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException failure) when (failure.Kind == ErrorKind.AlreadyExists)
        {
            // Someone else was first with the same chain; what it has is what we have.
        }
    }

    private async Task DiscardAsync(string key)
    {
        try
        {
            await snapshotter.RemoveAsync(key, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ImageStoreException)
        {
            // The first failure is the one to tell; what is left here is swept when the root is opened next.
        }
    }
}
