using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Overlay;

/// <summary>Stacks each snapshot's own changes on its parents' directories with overlayfs.</summary>
internal sealed class OverlaySnapshotter(
    SnapshotCatalogue catalogue, SnapshotDirectories directories, OverlayFeatures features)
    : DirectorySnapshotter(catalogue, directories)
{
    public const string SnapshotterName = "overlayfs";

    public override string Name => SnapshotterName;

    public override LayerFormat Format { get; } =
        new(features.UserXattr ? "user.overlay.opaque" : "trusted.overlay.opaque");

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
            return Bind(Directories.Fs(row.Id), row.Kind);
        }

        if (row.Kind == SnapshotKind.View && parents.Count == 1)
        {
            return Bind(Directories.Fs(parents[0].Id), row.Kind);
        }

        var lowers = parents.Select(parent => Directories.Fs(parent.Id)).ToList();
        return [row.Kind == SnapshotKind.View
            ? OverlayMounts.View(features, lowers)
            : OverlayMounts.Active(features, lowers, Directories.Fs(row.Id), Directories.Work(row.Id))];
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
}
