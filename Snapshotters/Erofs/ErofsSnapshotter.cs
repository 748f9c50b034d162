using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Overlay;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Keeps each committed snapshot as one EROFS image, and stacks the mounted images with overlayfs.</summary>
/// <remarks>
/// An image is mounted once, while an active snapshot or a view stands on it, in the layer's own folder. So the mounts that
/// are handed out are plain overlay and bind mounts, which every client can apply.
/// </remarks>
internal sealed class ErofsSnapshotter(
    SnapshotCatalogue catalogue, SnapshotDirectories directories, OverlayFeatures features, LayerMounts mounted, ErofsOptions options)
    : DirectorySnapshotter(catalogue, directories)
{
    public const string SnapshotterName = "erofs";

    // What the layer may cost was asked when it was applied.
    private static readonly LayerLimits s_settling = new() { MaxDepth = LayerLimits.GreatestDepth };

    public override string Name => SnapshotterName;

    protected override LayerSnapshot Layer(string key, long id) => new ImageLayerSnapshot(key, Directories.Image(id));

    protected override void Fill(long id, IReadOnlyList<SnapshotRow> parents, CancellationToken cancellationToken)
    {
        // The upper directory's own attributes are the mount's root's.
        using var parent = OpenAt.HostDirectory(mounted.Mount(parents[0].Id));
        using var upper = OpenAt.HostDirectory(Directories.Fs(id));
        MetadataCopy.To(parent, upper, FileMetadata.TryGet(parent, "\0"u8)!.Value, "/");
    }

    protected override IReadOnlyList<Mount> Mounts(SnapshotRow row, IReadOnlyList<SnapshotRow> parents)
    {
        if (parents.Count == 0)
        {
            return Bind(Directories.Fs(row.Id), row.Kind);
        }

        var lowers = parents.Select(parent => mounted.Mount(parent.Id)).ToList();
        if (row.Kind == SnapshotKind.View)
        {
            return lowers.Count == 1 ? Bind(lowers[0], row.Kind) : [OverlayMounts.View(features, lowers)];
        }

        return [OverlayMounts.Active(features, lowers, Directories.Fs(row.Id), Directories.Work(row.Id))];
    }

    protected override SnapshotUsage Measure(SnapshotRow row, CancellationToken cancellationToken)
    {
        if (row.Kind != SnapshotKind.Committed)
        {
            return base.Measure(row, cancellationToken);
        }

        using var image = ImageReader.Open(Directories.Image(row.Id));
        return new SnapshotUsage(image.Super.Inodes, TreeUsage.Own(Directories.Image(row.Id)));
    }

    protected override Task<long> SettleLayerAsync(
        SnapshotRow row, IReadOnlyList<SnapshotRow> parents, AppliedLayer layer, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            ImageSettler.Settle(
                layer, Directories.Image(row.Id), [.. parents.Select(parent => Directories.Image(parent.Id))], s_settling, cancellationToken);
            Directories.KeepImageOnly(row.Id);
            return row.Id;
        },
        cancellationToken);

    protected override Task SealAsync(SnapshotRow row, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            // A commit that was interrupted may have left a part of it.
            File.Delete(Directories.Image(row.Id));
            DirectoryImage.Write(Directories.Fs(row.Id), Directories.Image(row.Id), cancellationToken);
        },
        cancellationToken);

    protected override Task<string?> DigestAsync(long id, CancellationToken cancellationToken) => options.Digests
        ? Task.Run(() => (string?)ImageDigest.Of(Directories.Image(id), cancellationToken).ToString(), cancellationToken)
        : Task.FromResult<string?>(null);

    protected override Task ReleaseAsync(SnapshotRow row, bool isCommitted) => Task.Run(() =>
    {
        if (isCommitted)
        {
            Directories.KeepImageOnly(row.Id);
        }

        if (row.Kind != SnapshotKind.Committed && Catalogue.Parents(row) is { } parents)
        {
            mounted.Release(parents.Select(parent => parent.Id), Catalogue.IdsBelowActive);
        }
    });

    private sealed class ImageLayerSnapshot(string key, string path) : LayerSnapshot(key)
    {
        public override AppliedLayer Apply(
            Stream compressed, LayerCompression compression, LayerLimits limits, Action<long>? onBytes, CancellationToken cancellationToken) =>
            ImageApplier.Apply(compressed, compression, path, limits, onBytes, cancellationToken);
    }
}
