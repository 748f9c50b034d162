using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Commit;
using ImageStore.Engine.Diff;
using ImageStore.Engine.Rebase;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Engine;

/// <content>From changed files to images.</content>
public sealed partial class StoreEngine
{
    /// <summary>How a snapshot, a mounted directory or an image differs from another one, or from what it stands on.</summary>
    /// <exception cref="ImageStoreException">One is not there, or has what no layer can hold.</exception>
    public async Task<IReadOnlyList<PathChange>> ListChangesAsync(
        string snapshot, string? lower, string? snapshotter, CancellationToken cancellationToken)
    {
        var trees = await OpenTreesAsync(snapshot, lower, snapshotter, cancellationToken).ConfigureAwait(false);
        await using var held = trees.ConfigureAwait(false);
        return await Task.Run(
            () => LayerDiffer.List(trees.Lower, trees.Upper, _options.Settings.Layers, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the same as a layer.</summary>
    /// <exception cref="ImageStoreException">As for <see cref="ListChangesAsync"/>, or something changes while it is read; what was written by then is worth nothing.</exception>
    public async Task<LayerDiff> WriteChangesAsync(
        string snapshot, string? lower, string? snapshotter, Stream output, DiffOptions options, CancellationToken cancellationToken)
    {
        var trees = await OpenTreesAsync(snapshot, lower, snapshotter, cancellationToken).ConfigureAwait(false);
        await using var held = trees.ConfigureAwait(false);
        return await LayerBlob.RunAsync(trees.Lower, trees.Upper, output, options with { Limits = _options.Settings.Layers }, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Makes a snapshot to be changed, on an image or a committed snapshot, or empty when that is null.</summary>
    /// <exception cref="ImageStoreException">The key is taken or malformed, or what it is to stand on is not there.</exception>
    public async Task<IReadOnlyList<Mount>> PrepareAsync(string key, string? parent, string? snapshotter, CancellationToken cancellationToken)
    {
        var target = await SnapshotterAsync(snapshotter, cancellationToken).ConfigureAwait(false);
        var below = parent is null ? null : await Finder(target, cancellationToken).FindAsync(parent, cancellationToken).ConfigureAwait(false);
        return await target.PrepareAsync(key, below, Labels.None, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes an image of what a snapshot changed.</summary>
    /// <exception cref="ImageStoreException">The snapshot or its base is not there, the request is malformed, or a quota or disk does not
    /// suffice; then there is no image.</exception>
    public async Task<CommitResult> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var target = await SnapshotterAsync(request.Snapshotter, cancellationToken).ConfigureAwait(false);
        var key = await Finder(target, cancellationToken).FindOwnAsync(request.Snapshot, cancellationToken).ConfigureAwait(false);
        return await new ImageCommit(_tenant, target, _options.Settings.Layers, FindImage, _options.Time).RunAsync(request, key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts an image's own layers onto another base.</summary>
    /// <exception cref="ImageStoreException">One of the images is not there, or the image does not stand on the old base.</exception>
    public Task<RebaseResult> RebaseAsync(RebaseRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new ImageRebase(_tenant, FindImage).RunAsync(request, cancellationToken);
    }

    /// <summary>The keys of the namespace's snapshots that are not committed, of every snapshotter.</summary>
    public IReadOnlyList<string> ActiveSnapshots() => SnapshotterFactory.ActiveKeys(_options.Namespace, _root.Database);

    private async Task<DiffTrees> OpenTreesAsync(
        string snapshot, string? lower, string? snapshotter, CancellationToken cancellationToken)
    {
        var target = await SnapshotterAsync(snapshotter, cancellationToken).ConfigureAwait(false);
        var finder = Finder(target, cancellationToken);
        var key = await finder.FindAsync(snapshot, cancellationToken).ConfigureAwait(false);
        var below = lower is null ? null : await finder.FindAsync(lower, cancellationToken).ConfigureAwait(false);
        return await DiffTrees.OpenAsync(target, key, below, cancellationToken).ConfigureAwait(false);
    }

    private SnapshotFinder Finder(ISnapshotter snapshotter, CancellationToken cancellationToken) => new(
        snapshotter,
        reference =>
        {
            try
            {
                return FindImage(reference);
            }
            catch (ImageStoreException none) when (none.Kind is ErrorKind.NotFound or ErrorKind.InvalidArgument)
            {
                return null;
            }
        },
        async reference => (await UnpackAsync(reference, snapshotter.Name, null, new TransferProgress(), cancellationToken).ConfigureAwait(false)).ChainId);
}
