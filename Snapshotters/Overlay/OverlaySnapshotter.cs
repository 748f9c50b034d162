using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Overlay;

/// <summary>Stacks each snapshot's own changes on its parents' directories with overlayfs.</summary>
internal sealed class OverlaySnapshotter(
    SnapshotCatalogue catalogue, SnapshotDirectories directories, OverlayFeatures features, OverlayOptions options)
    : DirectorySnapshotter(catalogue, directories)
{
    public const string SnapshotterName = "overlayfs";

    public override string Name => SnapshotterName;

    private LayerFormat Format { get; } =
        new(features.UserXattr ? "user.overlay.opaque" : "trusted.overlay.opaque");

    protected override void CheckParents(string key, int count)
    {
        if (count > OverlayMounts.MaxLowers)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded,
                $"The snapshot '{Printable.Of(key)}' would stand on {count} layers, and the kernel's overlayfs stacks no more than {OverlayMounts.MaxLowers}.",
                $"Use --snapshotter {Native.NativeSnapshotter.SnapshotterName}, or an image of fewer layers.");
        }
    }

    protected override SnapshotRow Complete(SnapshotRow row) =>
        options.Volatile && row is { Kind: SnapshotKind.Active, Parent: not null } ? row with { IsVolatile = true } : row;

    protected override void CheckUse(string key, SnapshotRow row)
    {
        if (row is not { Kind: SnapshotKind.Active, IsVolatile: true })
        {
            return;
        }

        if (row.BootId != Catalogue.BootId)
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"The snapshot '{Printable.Of(key)}' is volatile and the machine was started anew since: what was written to it may be lost in part.",
                "Remove it and prepare another one. 'volatile = false' in config.toml makes snapshots that stay.");
        }

        // Within one run of the machine all that was written is still there, whoever unmounted it.
        TreeRemover.RemoveTree(VolatileMark(row.Id));
    }

    protected override LayerSnapshot Layer(string key, long id) => new DirectoryLayerSnapshot(key, Directories.Fs(id), Format);

    protected override void Fill(
        long id, IReadOnlyList<SnapshotRow> parents, CancellationToken cancellationToken)
    {
        // The upper directory's own attributes are the mount's root's.
        using var parent = OpenAt.HostDirectory(Directories.Fs(parents[0].Id));
        using var upper = OpenAt.HostDirectory(Directories.Fs(id));
        MetadataCopy.To(parent, upper, FileMetadata.TryGet(parent, "\0"u8)!.Value, "/");
    }

    protected override IReadOnlyList<Mount> Mounts(SnapshotRow row, IReadOnlyList<SnapshotRow> parents)
    {
        if (parents.Count == 0)
        {
            return Bind(Directories.Fs(row.Id), row.Kind, [.. options.OfAnyMount]);
        }

        if (row.Kind == SnapshotKind.View && parents.Count == 1)
        {
            return Bind(Directories.Fs(parents[0].Id), row.Kind, [.. options.OfAnyMount]);
        }

        var lowers = parents.Select(parent => Directories.Fs(parent.Id)).ToList();
        if (row.Kind == SnapshotKind.View)
        {
            return [OverlayMounts.View(features, lowers)];
        }

        var active = OverlayMounts.Active(features, lowers, Directories.Fs(row.Id), Directories.Work(row.Id));
        return [row.IsVolatile == true ? active with { Options = [OverlayMounts.Volatile, .. active.Options] } : active];
    }

    protected override async Task<long> SettleLayerAsync(
        SnapshotRow row, IReadOnlyList<SnapshotRow> parents, AppliedLayer layer, CancellationToken cancellationToken)
    {
        var lowers = parents.Select(parent => Directories.Fs(parent.Id)).ToList();
        await Task.Run(
            () => LayerSettler.Settle(layer, Directories.Fs(row.Id), lowers, Format, cancellationToken),
            cancellationToken).ConfigureAwait(false);
        return row.Id;
    }

    /// <summary>Where the kernel leaves word that an overlay was mounted volatile; it refuses the next mount for it.</summary>
    private string VolatileMark(long id) => Path.Combine(Directories.Work(id), "work", "incompat");
}
