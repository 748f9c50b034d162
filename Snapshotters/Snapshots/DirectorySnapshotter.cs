using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>What snapshotters that keep each snapshot in a directory of its own have in common.</summary>
internal abstract class DirectorySnapshotter(SnapshotCatalogue catalogue, SnapshotDirectories directories) : ISnapshotter
{
    public abstract string Name { get; }

    protected SnapshotCatalogue Catalogue => catalogue;

    protected SnapshotDirectories Directories => directories;

    public Task<SnapshotInfo?> StatAsync(string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var row = catalogue.Get(key);
        return Task.FromResult(row is null || !IsWhole(row) ? null : row.ToInfo(key));
    }

    public Task<IReadOnlyList<SnapshotInfo>> WalkAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult<IReadOnlyList<SnapshotInfo>>(
            [.. catalogue.List().Where(pair => IsWhole(pair.Value)).Select(pair => pair.Value.ToInfo(pair.Key))]);
    }

    public Task<SnapshotInfo> UpdateLabelsAsync(string key, LabelUpdate labels, CancellationToken cancellationToken) =>
        catalogue.CommitAsync(
            rows =>
            {
                var row = rows.Get(key) ?? throw SnapshotErrors.NotFound(key);
                row = row with { Labels = labels.Apply(row.Labels), UpdatedAt = catalogue.Now };
                rows.Put(key, row);
                return row.ToInfo(key);
            },
            cancellationToken);

    public async Task<SnapshotUsage> UsageAsync(string key, CancellationToken cancellationToken)
    {
        var row = Require(key);
        if (row is { Inodes: { } inodes, Bytes: { } bytes })
        {
            return new SnapshotUsage(inodes, bytes);
        }

        var usage = await Task.Run(() => Measure(row, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (row.Kind == SnapshotKind.Committed)
        {
            await catalogue.CommitAsync(
                rows =>
                {
                    if (rows.Get(key) is { } now && now.Id == row.Id)
                    {
                        rows.Put(key, now with { Inodes = usage.Inodes, Bytes = usage.Bytes });
                    }
                },
                cancellationToken).ConfigureAwait(false);
        }

        return usage;
    }

    public Task<IReadOnlyList<Mount>> MountsAsync(string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var row = catalogue.Get(key) ?? throw SnapshotErrors.NotFound(key);
        return row.Kind == SnapshotKind.Committed
            ? throw SnapshotErrors.WrongKind(key, row.Kind, "active or a view")
            : Task.FromResult(MountsOf(key, row));
    }

    public async Task<IReadOnlyList<Mount>> PrepareAsync(
        string key, string? parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var row = await CreateAsync(SnapshotKind.Active, key, parent, labels, cancellationToken).ConfigureAwait(false);
        return MountsOf(key, row);
    }

    public async Task<IReadOnlyList<Mount>> ViewAsync(
        string key, string? parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var row = await CreateAsync(SnapshotKind.View, key, parent, labels, cancellationToken).ConfigureAwait(false);
        return MountsOf(key, row);
    }

    public async Task<LayerSnapshot> PrepareLayerAsync(
        string key, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var row = await CreateAsync(SnapshotKind.Active, key, null, labels, cancellationToken).ConfigureAwait(false);
        return Layer(key, row.Id);
    }

    public async Task CommitAsync(
        string name, string key, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        SnapshotArguments.CheckKey(name);
        var copy = SnapshotArguments.CheckLabels(labels);
        var active = SnapshotRules.RequireActive(catalogue.Get(key), key);
        if (catalogue.Get(name) is not null)
        {
            throw SnapshotErrors.AlreadyExists(name);
        }

        await SealAsync(active, cancellationToken).ConfigureAwait(false);
        var imageDigest = await DigestAsync(active.Id, cancellationToken).ConfigureAwait(false);
        await catalogue.CommitAsync(
            rows =>
            {
                var row = SnapshotRules.RequireActive(rows.Get(key), key);
                CheckUse(key, row);
                SnapshotRules.RequireFree(rows, name);
                SnapshotRules.RequireParent(rows, row.Parent);
                rows.Delete(key);
                rows.Put(name, Committed(row, copy) with { ImageDigest = imageDigest });
            },
            cancellationToken).ConfigureAwait(false);
        await ReleaseAsync(active, isCommitted: true).ConfigureAwait(false);
    }

    public async Task CommitLayerAsync(
        string name,
        string key,
        string? parent,
        AppliedLayer layer,
        IReadOnlyDictionary<string, string> labels,
        CancellationToken cancellationToken)
    {
        SnapshotArguments.CheckKey(name);
        var copy = SnapshotArguments.CheckLabels(labels);
        var row = SnapshotRules.RequireActive(catalogue.Get(key), key);
        if (row.Parent is not null)
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition, $"The snapshot '{Printable.Of(key)}' has a parent already.");
        }

        using var making = directories.LockForMaking();
        try
        {
            if (catalogue.Get(name) is not null)
            {
                throw SnapshotErrors.AlreadyExists(name);
            }

            var parents = ParentChain(parent);
            var id = await SettleLayerAsync(row, parents, layer, cancellationToken).ConfigureAwait(false);
            var described = row with
            {
                LayerBytes = layer.UnpackedBytes, ImageDigest = await DigestAsync(id, cancellationToken).ConfigureAwait(false),
            };
            await ReplaceAsync(name, key, described, id, parent, copy, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException e) when (e.Kind == ErrorKind.AlreadyExists)
        {
            await RemoveAsync(key, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    public async Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        SnapshotRow gone;
        try
        {
            gone = await RemoveRowAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException full) when (
            full.Kind == ErrorKind.NoSpace && catalogue.Get(key) is { Kind: not SnapshotKind.Committed })
        {
            // What is to go may be what fills the disk. A row without files is swept; the other way round it would not be.
            var row = catalogue.Get(key)!;
            await Task.Run(() => directories.Remove(row.Id), CancellationToken.None).ConfigureAwait(false);
            gone = await RemoveRowAsync(key, cancellationToken).ConfigureAwait(false);
        }

        await Task.Run(() => directories.Remove(gone.Id), CancellationToken.None).ConfigureAwait(false);
        await ReleaseAsync(gone, isCommitted: false).ConfigureAwait(false);
    }

    public Task MarkSyncedAsync(TimeSpan minimumAge, CancellationToken cancellationToken) =>
        SnapshotSync.RunAsync(catalogue, directories.Root, minimumAge, cancellationToken);

    /// <summary>What takes a layer in the directory of a new snapshot.</summary>
    protected abstract LayerSnapshot Layer(string key, long id);

    /// <summary>What a snapshot occupies.</summary>
    protected virtual SnapshotUsage Measure(SnapshotRow row, CancellationToken cancellationToken) =>
        TreeUsage.Measure(directories.Fs(row.Id), cancellationToken);

    /// <summary>Makes an active snapshot's files what a committed one has, where that is not the same; it may be done again after a failure.</summary>
    protected virtual Task SealAsync(SnapshotRow row, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The digest of what a committed snapshot has, where the kind keeps one.</summary>
    protected virtual Task<string?> DigestAsync(long id, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    /// <summary>Lets go of what an active snapshot or view needed while it was one.</summary>
    protected virtual Task ReleaseAsync(SnapshotRow row, bool isCommitted) => Task.CompletedTask;

    /// <summary>Fills a new snapshot's directory from its nearest parent, where the kind needs it.</summary>
    protected abstract void Fill(long id, IReadOnlyList<SnapshotRow> parents, CancellationToken cancellationToken);

    /// <summary>The mounts of a row that stands on <paramref name="parents"/>, nearest first.</summary>
    protected abstract IReadOnlyList<Mount> Mounts(SnapshotRow row, IReadOnlyList<SnapshotRow> parents);

    /// <summary>Makes an unpacked layer what a commit needs; returns the directory's id, the row's own or a new one.</summary>
    protected abstract Task<long> SettleLayerAsync(
        SnapshotRow row, IReadOnlyList<SnapshotRow> parents, AppliedLayer layer, CancellationToken cancellationToken);

    /// <summary>Refuses a snapshot that would stand on more parents than the kind can show.</summary>
    protected virtual void CheckParents(string key, int count)
    {
    }

    /// <summary>Adds to a new snapshot's row what the kind has to remember.</summary>
    protected virtual SnapshotRow Complete(SnapshotRow row) => row;

    /// <summary>Refuses a snapshot that can be neither mounted nor committed any more.</summary>
    protected virtual void CheckUse(string key, SnapshotRow row)
    {
    }

    protected static IReadOnlyList<Mount> Bind(string directory, SnapshotKind kind, params ReadOnlySpan<string> options) =>
        [new Mount("bind", directory, [kind == SnapshotKind.View ? "ro" : "rw", "rbind", .. options])];

    private IReadOnlyList<Mount> MountsOf(string key, SnapshotRow row)
    {
        CheckUse(key, row);
        var mounts = Mounts(row, catalogue.Parents(row) ?? throw SnapshotErrors.ChainBroken(key));
        return IdMapPair.FromLabels(row.Labels) is { } maps ? [.. mounts.Select(maps.Onto)] : mounts;
    }

    private async Task<SnapshotRow> CreateAsync(
        SnapshotKind kind,
        string key,
        string? parent,
        IReadOnlyDictionary<string, string> labels,
        CancellationToken cancellationToken)
    {
        SnapshotArguments.CheckKey(key);
        var copy = SnapshotArguments.CheckLabels(labels);
        if (catalogue.Get(key) is not null)
        {
            throw SnapshotErrors.AlreadyExists(key);
        }

        var parents = ParentChain(parent);
        CheckParents(key, parents.Count);
        var id = await catalogue.NewIdAsync(cancellationToken).ConfigureAwait(false);
        using var making = directories.LockForMaking();
        try
        {
            directories.Make(id, withWork: kind == SnapshotKind.Active);
            if (parents.Count > 0 && kind == SnapshotKind.Active)
            {
                await Task.Run(() => Fill(id, parents, cancellationToken), cancellationToken).ConfigureAwait(false);
            }

            return await catalogue.CommitAsync(
                rows =>
                {
                    SnapshotRules.RequireFree(rows, key);
                    SnapshotRules.RequireParent(rows, parent);
                    var now = catalogue.Now;
                    var row = Complete(new SnapshotRow
                    {
                        Kind = kind,
                        Id = id,
                        Parent = parent,
                        Labels = copy,
                        CreatedAt = now,
                        UpdatedAt = now,
                        BootId = catalogue.BootId,
                    });
                    rows.Put(key, row);
                    return row;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            if (catalogue.Get(key)?.Id != id)
            {
                directories.Remove(id);
            }

            throw;
        }
    }

    private async Task ReplaceAsync(
        string name,
        string key,
        SnapshotRow row,
        long id,
        string? parent,
        Dictionary<string, string> labels,
        CancellationToken cancellationToken)
    {
        try
        {
            await catalogue.CommitAsync(
                rows =>
                {
                    _ = SnapshotRules.RequireActive(rows.Get(key), key);
                    SnapshotRules.RequireFree(rows, name);
                    SnapshotRules.RequireParent(rows, parent);
                    rows.Delete(key);
                    rows.Put(name, Committed(row, labels) with { Id = id, Parent = parent });
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch when (id != row.Id && catalogue.Get(name)?.Id != id)
        {
            directories.Remove(id);
            throw;
        }

        if (id != row.Id)
        {
            directories.Remove(row.Id);
        }
    }

    private Task<SnapshotRow> RemoveRowAsync(string key, CancellationToken cancellationToken) => catalogue.CommitAsync(
        rows =>
        {
            var row = rows.Get(key) ?? throw SnapshotErrors.NotFound(key);
            SnapshotRules.RequireChildless(rows, row, key);
            rows.Delete(key);
            return row;
        },
        cancellationToken);

    private SnapshotRow Committed(SnapshotRow row, Dictionary<string, string> labels)
    {
        var now = catalogue.Now;
        return row with
        {
            Kind = SnapshotKind.Committed,
            Labels = labels,
            CreatedAt = now,
            UpdatedAt = now,
            BootId = catalogue.BootId,
            Synced = false,
            IsVolatile = null,
        };
    }

    private List<SnapshotRow> ParentChain(string? parent)
    {
        if (parent is null)
        {
            return [];
        }

        var row = catalogue.Get(parent) ?? throw SnapshotErrors.ParentNotFound(parent);
        if (row.Kind != SnapshotKind.Committed)
        {
            throw SnapshotErrors.WrongKind(parent, row.Kind, "committed, as a parent must be");
        }

        var above = catalogue.IsDurable(row) ? catalogue.Parents(row) : null;
        return above is null ? throw SnapshotErrors.ParentNotFound(parent) : [row, .. above];
    }

    private bool IsWhole(SnapshotRow row) => catalogue.IsDurable(row) && catalogue.Parents(row) is not null;

    private SnapshotRow Require(string key) =>
        catalogue.Get(key) is { } row && IsWhole(row) ? row : throw SnapshotErrors.NotFound(key);
}
