using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Diff;

/// <summary>Two snapshots that are compared: their mounts, and the views that hold those meanwhile.</summary>
internal sealed class DiffTrees : IAsyncDisposable
{
    /// <summary>What the keys of views begin with; those of a dead process are discarded by it.</summary>
    public const string ViewPrefix = "imagestore-diff-";

    private readonly ISnapshotter _snapshotter;
    private readonly List<string> _views = [];

    private DiffTrees(ISnapshotter snapshotter) => _snapshotter = snapshotter;

    /// <summary>What is compared with; empty for nothing.</summary>
    public IReadOnlyList<Mount> Lower { get; private set; } = [];

    /// <summary>What is there now.</summary>
    public IReadOnlyList<Mount> Upper { get; private set; } = [];

    /// <summary>Opens a snapshot and another, or its own parent when that is null.</summary>
    /// <exception cref="ImageStoreException">One is not there (<see cref="ErrorKind.NotFound"/>).</exception>
    public static async Task<DiffTrees> OpenAsync(
        ISnapshotter snapshotter, string key, string? lower, CancellationToken cancellationToken)
    {
        var trees = new DiffTrees(snapshotter);
        try
        {
            var upper = await trees.StatAsync(key, cancellationToken).ConfigureAwait(false);
            trees.Upper = await trees.MountsAsync(upper, cancellationToken).ConfigureAwait(false);
            if ((lower ?? upper.Parent) is { } below)
            {
                trees.Lower = await trees.MountsAsync(
                    await trees.StatAsync(below, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            }

            return trees;
        }
        catch
        {
            await trees.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var view in _views)
        {
            await _snapshotter.RemoveAsync(view, CancellationToken.None).ConfigureAwait(false);
        }

        _views.Clear();
    }

    private async Task<SnapshotInfo> StatAsync(string key, CancellationToken cancellationToken) =>
        await _snapshotter.StatAsync(key, cancellationToken).ConfigureAwait(false) ?? throw new ImageStoreException(
            ErrorKind.NotFound,
            $"There is no snapshot '{Printable.Of(key)}' in {_snapshotter.Name}.",
            "'imagestore snapshots ls' shows what is there; --snapshotter names another one.");

    private async Task<IReadOnlyList<Mount>> MountsAsync(SnapshotInfo snapshot, CancellationToken cancellationToken)
    {
        if (snapshot.Kind != SnapshotKind.Committed)
        {
            return await _snapshotter.MountsAsync(snapshot.Name, cancellationToken).ConfigureAwait(false);
        }

        var view = $"{ViewPrefix}{Guid.NewGuid():N}";
        var mounts = await _snapshotter.ViewAsync(view, snapshot.Name, Labels.None, cancellationToken).ConfigureAwait(false);
        _views.Add(view);
        return mounts;
    }
}
