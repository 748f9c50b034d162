using ImageStore.Distribution.Registry;
using ImageStore.Engine.Diff;
using ImageStore.Engine.Maintenance;
using ImageStore.Engine.Unpack;
using ImageStore.Gc;
using ImageStore.Gc.Pressure;
using ImageStore.Gc.Scheduling;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Namespaces;

namespace ImageStore.Engine.Serving;

/// <summary>An open root for many callers and all namespaces at once, which is maintained as long as it is open.</summary>
/// <remarks>The owner runs <see cref="MaintainAsync"/> beside its work, and disposes the store last.</remarks>
public sealed class ServedStore : IAsyncDisposable
{
    private const int MaxSnapshotters = 1024;
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_syncEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_writtenBack = TimeSpan.FromSeconds(60);

    private readonly StoreRoot _root;
    private readonly EngineOptions _options;
    private readonly Action<Exception> _onFailure;
    private readonly Collector _collector;
    private readonly CollectionScheduler _scheduler;
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly Dictionary<(string Namespace, string Name), ISnapshotter> _snapshotters = [];
    private long? _collected;

    private ServedStore(StoreRoot root, EngineOptions options, Action<Exception> onFailure)
    {
        (_root, _options, _onFailure) = (root, options, onFailure);
        _collector = new Collector(root, options.Time);
        _scheduler = new CollectionScheduler(options.Settings.Collection, RoundAsync, TimeToExpiryAsync, options.Time) { OnFailure = onFailure };
    }

    /// <summary>The root directory, absolute.</summary>
    public string Root => _root.Directory;

    /// <summary>The namespaces.</summary>
    public NamespaceCatalogue Namespaces => _root.Namespaces;

    /// <summary>The clock.</summary>
    public TimeProvider Time => _options.Time;

    /// <summary>How registries are spoken to.</summary>
    public RegistryOptions Registry => _options.Registry with { Time = _options.Time };

    internal LayerLimits LayerLimits => _options.Settings.Layers;

    /// <summary>Opens a root.</summary>
    /// <param name="options">Which one, and how; its namespace is not read.</param>
    /// <param name="address">Where it is served, as others are told.</param>
    /// <param name="onFailure">Is told of maintenance that failed; it is tried again.</param>
    /// <param name="cancellationToken">Ends the waiting for a command that has the root.</param>
    /// <exception cref="ImageStoreException">Another daemon has it (<see cref="ErrorKind.FailedPrecondition"/>), or it cannot be opened.</exception>
    public static async Task<ServedStore> OpenAsync(
        EngineOptions options, string address, Action<Exception> onFailure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var root = await StoreRoot.OpenAsync(
            options.Root,
            new StoreOptions
            {
                Holder = ServedRoot.Holder(address),
                OnWait = holder =>
                {
                    ServedRoot.RefuseDaemon(options.Root, holder);
                    options.OnWait?.Invoke(holder);
                },
                Sharing = options.Settings.Sharing,
                OtherResources = directory => [SnapshotterFactory.Resources(directory, options.RemovalBudget)],
                Time = options.Time,
            },
            cancellationToken).ConfigureAwait(false);
        try
        {
            await SnapshotterFactory.DiscardAsync(root.Database, ImageUnpacker.ExtractPrefix, cancellationToken).ConfigureAwait(false);
            await SnapshotterFactory.DiscardAsync(root.Database, DiffTrees.ViewPrefix, cancellationToken).ConfigureAwait(false);
            return new ServedStore(root, options, onFailure);
        }
        catch
        {
            await root.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What a namespace has.</summary>
    /// <exception cref="ImageStoreException">The name is malformed (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public Tenant Tenant(string @namespace) => _root.Tenant(@namespace);

    /// <summary>The layers of a namespace's snapshots.</summary>
    public ServedLayers Layers(string @namespace) => new(this, Tenant(@namespace));

    /// <summary>Whole images into and out of a namespace.</summary>
    public ServedTransfers Transfers(string @namespace) => new(this, Tenant(@namespace));

    /// <summary>A namespace's images by the names that people write.</summary>
    public ImageNaming Naming(string @namespace) => new(Tenant(@namespace).Images);

    /// <summary>A namespace's snapshotter of that name.</summary>
    /// <exception cref="ImageStoreException">There is none of that name, or the filesystem cannot do it.</exception>
    public async Task<ISnapshotter> SnapshotterAsync(string @namespace, string name, CancellationToken cancellationToken)
    {
        NamespaceName.Check(@namespace);
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_snapshotters.TryGetValue((@namespace, name), out var known))
            {
                return known;
            }

            if (_snapshotters.Count == MaxSnapshotters)
            {
                // They have nothing that the database has not: whoever has one goes on with it.
                _snapshotters.Clear();
            }

            var opened = await SnapshotterFactory.OpenAsync(
                name, _root.Directory, @namespace, _root.Database, _options.Settings.Snapshotters, _options.Time, cancellationToken).ConfigureAwait(false);
            return _snapshotters[(@namespace, name)] = opened;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Tells that something was changed, so that there may be something to collect.</summary>
    /// <param name="deletion">Was something removed that kept other things? A change of labels is none: it waits for enough others.</param>
    public void Changed(bool deletion) => _scheduler.Mutated(deletion);

    /// <summary>Collects now, and waits for the end of it.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public Task CollectAsync(CancellationToken cancellationToken) => _scheduler.CollectAsync(cancellationToken);

    /// <summary>Collects now, beside what is collected by itself, and tells what went.</summary>
    /// <exception cref="ImageStoreException">The disk refuses.</exception>
    public Task<CollectionReport> CollectAndTellAsync(CancellationToken cancellationToken) => _collector.CollectAsync(cancellationToken);

    /// <summary>Collects, makes room, backs up and remembers what is durable, until it is cancelled.</summary>
    public Task MaintainAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(
            _scheduler.RunAsync(cancellationToken),
            EveryAsync(s_lookEvery, _ => Task.Run(Look, cancellationToken), cancellationToken),
            EveryAsync(s_syncEvery, SyncAsync, cancellationToken));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _root.DisposeAsync().ConfigureAwait(false);
        _collector.Dispose();
        _opening.Dispose();
    }

    private async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        var started = _options.Time.GetTimestamp();
        if (_options.Settings.Marks is { } marks && IsFull(marks))
        {
            var pressure = new DiskPressure(_root, _collector, () => DiskSpace.Of(Root), _options.Time);
            await pressure.RelieveAsync(marks, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await _collector.CollectAsync(cancellationToken).ConfigureAwait(false);
        }

        _collected = started;
        await Task.Run(BackUpWhenDue, CancellationToken.None).ConfigureAwait(false);

        // It works beside everybody, so nobody was kept waiting.
        return TimeSpan.Zero;
    }

    // What was collected is done: a disk that has no room for a backup does not undo it.
    private void BackUpWhenDue()
    {
        try
        {
            if (_root.IsBackupDue)
            {
                _root.BackUp();
            }
        }
        catch (Exception failure) when (failure is ImageStoreException or IOException or UnauthorizedAccessException)
        {
            _onFailure(failure);
        }
    }

    private Task<TimeSpan?> TimeToExpiryAsync(CancellationToken cancellationToken) =>
        Task.FromResult(Expiries.TimeToNext(_root, _collected is { } at ? _options.Time.GetElapsedTime(at) : null, _options.Time));

    private bool IsFull(WaterMarks marks) => DiskSpace.Of(Root).Used > marks.High;

    private void Look()
    {
        if (_options.Settings.Marks is { } marks && IsFull(marks))
        {
            _scheduler.Mutated(deletion: true);
        }
    }

    private async Task SyncAsync(CancellationToken cancellationToken)
    {
        foreach (var snapshotter in await OpenAsync(cancellationToken).ConfigureAwait(false))
        {
            await snapshotter.MarkSyncedAsync(s_writtenBack, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task EveryAsync(TimeSpan pause, Func<CancellationToken, Task> work, CancellationToken cancellationToken) =>
        Repeated.EveryAsync(pause, work, _onFailure, Time, cancellationToken);

    private async Task<IReadOnlyList<ISnapshotter>> OpenAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return [.. _snapshotters.Values];
        }
        finally
        {
            _opening.Release();
        }
    }
}
