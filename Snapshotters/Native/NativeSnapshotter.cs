using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Snapshotters.Trees;

namespace ImageStore.Snapshotters.Native;

/// <summary>Keeps a whole copy of the tree in each snapshot; works on every file system.</summary>
internal sealed class NativeSnapshotter(SnapshotCatalogue catalogue, SnapshotDirectories directories)
    : DirectorySnapshotter(catalogue, directories)
{
    public const string SnapshotterName = "native";

    public override string Name => SnapshotterName;

    private LayerFormat Format { get; } = new("trusted.overlay.opaque");

    protected override LayerSnapshot Layer(string key, long id) => new DirectoryLayerSnapshot(key, Directories.Fs(id), Format);

    protected override void Fill(
        long id, IReadOnlyList<SnapshotRow> parents, CancellationToken cancellationToken) =>
        TreeCopier.Copy(Directories.Fs(parents[0].Id), Directories.Fs(id), cancellationToken);

    protected override IReadOnlyList<Mount> Mounts(SnapshotRow row, IReadOnlyList<SnapshotRow> parents) =>
        Bind(
            Directories.Fs(row.Kind == SnapshotKind.View && parents.Count > 0 ? parents[0].Id : row.Id),
            row.Kind);

    protected override async Task<long> SettleLayerAsync(
        SnapshotRow row, IReadOnlyList<SnapshotRow> parents, AppliedLayer layer, CancellationToken cancellationToken)
    {
        var id = await Catalogue.NewIdAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.Run(() => Merge(row.Id, id, parents, layer, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            return id;
        }
        catch
        {
            Directories.Remove(id);
            throw;
        }
    }

    private void Merge(
        long layerId,
        long id,
        IReadOnlyList<SnapshotRow> parents,
        AppliedLayer layer,
        CancellationToken cancellationToken)
    {
        Directories.Make(id, withWork: true);
        // The parent's directory is a whole tree already, so it alone is what lies below.
        List<string> lowers = parents.Count > 0 ? [Directories.Fs(parents[0].Id)] : [];
        LayerSettler.Settle(layer, Directories.Fs(layerId), lowers, Format, cancellationToken);
        if (parents.Count > 0)
        {
            Fill(id, parents, cancellationToken);
        }

        LayerMerger.MergeOnto(Directories.Fs(layerId), Directories.Fs(id), Format, cancellationToken);
    }
}
