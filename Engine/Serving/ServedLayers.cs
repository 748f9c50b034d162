using ImageStore.Engine.Diff;
using ImageStore.Engine.Unpack;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Serving;

/// <summary>Layers into and out of snapshots of which a caller has the mounts.</summary>
public sealed class ServedLayers
{
    private readonly ServedStore _store;
    private readonly Tenant _tenant;

    internal ServedLayers(ServedStore store, Tenant tenant) => (_store, _tenant) = (store, tenant);

    /// <summary>Are these the mounts of a snapshot or a view that the namespace has?</summary>
    /// <remarks>The calls below read and write whatever directories the mounts name: for a caller who may not do so anyway, they have to be
    /// what this store handed out.</remarks>
    /// <exception cref="ImageStoreException">The metadata cannot be read.</exception>
    public async Task<bool> IsOursAsync(IReadOnlyList<Mount> mounts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(mounts);
        foreach (var name in SnapshotterFactory.Names.Where(name => mounts.Any(mount => Names(mount, SnapshotPlaces.FolderOf(_store.Root, name)))))
        {
            var snapshotter = await _store.SnapshotterAsync(_tenant.Namespace, name, cancellationToken).ConfigureAwait(false);
            var all = await snapshotter.WalkAsync(cancellationToken).ConfigureAwait(false);

            // The newest first: mounts are mostly handed back right after they were handed out.
            foreach (var snapshot in all.Where(one => one.Kind != SnapshotKind.Committed).OrderByDescending(one => one.CreatedAt))
            {
                if (IsSame(mounts, await MountsAsync(snapshotter, snapshot.Name, cancellationToken).ConfigureAwait(false)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Unpacks a layer that the namespace has.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="mounts">An active snapshot's.</param>
    /// <param name="sync">Have its files be durable as well? Else a power cut has the snapshot be unpacked again.</param>
    /// <param name="cancellationToken">Cancels between entries.</param>
    /// <returns>The layer without its compression: diff ID and size.</returns>
    /// <exception cref="ImageStoreException">The namespace does not have it, it is no layer or malformed, the mounts do not suit, or a
    /// quota or disk does not suffice.</exception>
    public async Task<Descriptor> ApplyAsync(Descriptor layer, IReadOnlyList<Mount> mounts, bool sync, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (!MediaTypes.IsLayer(layer.MediaType))
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported, $"'{Printable.Of(layer.MediaType)}' is no layer that can be unpacked.", "Layers are tar, with gzip, zstd or as they are.");
        }

        var source = _tenant.Content.OpenRead(layer.Digest);
        await using var opened = source.ConfigureAwait(false);
        using var reserved = _tenant.Reserve($"unpacking {layer.Digest}");
        var scratch = $"{ImageUnpacker.ExtractPrefix}apply-{Guid.NewGuid():N}";
        ISnapshotter? aside = null;
        try
        {
            // It blocks on the disk for as long as it takes, so it does not belong on the pool.
            return await Task.Factory.StartNew(
                () =>
                {
                    using var head = LayerHead.Read(source);
                    var size = 0L;
                    var applied = MountedLayer.Apply(
                        head,
                        LayerDecompressor.Detect(head.Bytes.Span),
                        mounts,
                        () =>
                        {
                            aside = _store.SnapshotterAsync(_tenant.Namespace, SnapshotterFactory.Native, cancellationToken).GetAwaiter().GetResult();
                            return aside.PrepareLayerAsync(scratch, Labels.None, cancellationToken).GetAwaiter().GetResult();
                        },
                        _store.LayerLimits,
                        bytes =>
                        {
                            reserved.GrowTo(bytes);
                            size = bytes;
                        },
                        cancellationToken);
                    if (sync)
                    {
                        MountedLayer.Sync(mounts);
                    }

                    return new Descriptor { MediaType = MediaTypes.OciLayer, Digest = applied.DiffId, Size = size };
                },
                cancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default).ConfigureAwait(false);
        }
        finally
        {
            if (aside is not null)
            {
                await aside.RemoveAsync(scratch, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Makes a layer of what differs between two trees.</summary>
    /// <param name="lower">What it will lie on; no mounts for nothing.</param>
    /// <param name="upper">What it has to give.</param>
    /// <param name="options">Compression and times.</param>
    /// <param name="reference">The ingest's name; null for one that nobody has.</param>
    /// <param name="labels">What the layer is to have beside its diff ID.</param>
    /// <param name="lease">What keeps it.</param>
    /// <param name="cancellationToken">Cancels between entries.</param>
    /// <exception cref="ImageStoreException">A tree cannot be read or has what no layer can hold, or a quota or disk does not suffice.</exception>
    public async Task<Descriptor> DiffAsync(
        IReadOnlyList<Mount> lower,
        IReadOnlyList<Mount> upper,
        DiffOptions options,
        string? reference,
        IReadOnlyDictionary<string, string> labels,
        Lease? lease,
        CancellationToken cancellationToken)
    {
        var request = new LayerBlobRequest(lower, upper, options) { Labels = labels, Lease = lease, Reference = reference };
        return (await LayerBlob.WriteAsync(_tenant.Content, request, cancellationToken).ConfigureAwait(false)).Descriptor;
    }

    // One that goes meanwhile, or that cannot be mounted, is not the one that was handed out.
    private static async Task<IReadOnlyList<Mount>> MountsAsync(ISnapshotter snapshotter, string key, CancellationToken cancellationToken)
    {
        try
        {
            return await snapshotter.MountsAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException)
        {
            return [];
        }
    }

    // Only whose snapshots are to be looked through; whether they are the same is asked of each of those.
    private static bool Names(Mount mount, string directory) =>
        mount.Source.Contains(directory, StringComparison.Ordinal)
        || mount.Options.Any(option => option.Contains(directory, StringComparison.Ordinal));

    private static bool IsSame(IReadOnlyList<Mount> some, IReadOnlyList<Mount> others) =>
        some.Count == others.Count
        && some.Zip(others).All(pair => pair.First.Type == pair.Second.Type
            && pair.First.Source == pair.Second.Source
            && pair.First.Options.SequenceEqual(pair.Second.Options, StringComparer.Ordinal));
}
