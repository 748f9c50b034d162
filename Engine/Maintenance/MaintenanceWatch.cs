using ImageStore.Gc;
using ImageStore.Gc.Pressure;
using ImageStore.Gc.Scheduling;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Engine.Maintenance;

/// <summary>Maintains a root as long as it runs: by the clock, when a lease or image ends, when others have changed it, and when the disk gets full.</summary>
/// <remarks>It holds the root no longer than each round takes, so that commands work beside it. Whatever fails is told and tried again.</remarks>
public sealed class MaintenanceWatch
{
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_scrubEvery = TimeSpan.FromHours(1);

    private readonly EngineOptions _engine;
    private readonly MaintenanceRun _run;
    private readonly Action<MaintenanceReport> _tell;
    private readonly Action<Exception> _fail;
    private readonly CollectionScheduler _scheduler;
    private DateTime _seen;
    private long? _collected;

    /// <summary>Makes one; <see cref="RunAsync"/> has it work.</summary>
    /// <param name="engine">The root and its settings.</param>
    /// <param name="scrub">Read blobs too?</param>
    /// <param name="tell">Is given what was done, when anything was.</param>
    /// <param name="fail">Is given what made a round fail; it is tried again.</param>
    public MaintenanceWatch(EngineOptions engine, bool scrub, Action<MaintenanceReport> tell, Action<Exception> fail)
    {
        ArgumentNullException.ThrowIfNull(engine);
        (_engine, _run, _tell, _fail) = (engine, new MaintenanceRun(engine, scrub, progress: null), tell, fail);
        _scheduler = new CollectionScheduler(engine.Settings.Collection, RoundAsync, TimeToExpiryAsync, engine.Time) { OnFailure = fail };
    }

    /// <summary>Works until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken) => await Task.WhenAll(
        _scheduler.RunAsync(cancellationToken),
        EveryAsync(s_lookEvery, _ => Task.Run(Look, cancellationToken), cancellationToken),
        EveryAsync(s_scrubEvery, ScrubAsync, cancellationToken)).ConfigureAwait(false);

    private async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        // Whoever wants the root waits for all of this, so that all of it counts as a pause.
        var started = _engine.Time.GetTimestamp();
        var (report, changed) = await _run.TidyAsync(cancellationToken).ConfigureAwait(false);
        (_seen, _collected) = (changed, started);
        Tell(report);
        return _engine.Time.GetElapsedTime(started);
    }

    private void Look()
    {
        var changed = StoreRoot.ChangedAt(_engine.Root);
        if (changed != _seen || (_engine.Settings.Marks is { } marks && DiskSpace.Of(_engine.Root).Used > marks.High))
        {
            _seen = changed;
            _scheduler.Mutated(deletion: true);
        }
    }

    // Beside the collections: a lease's end does not wait for the reading of blobs.
    private async Task ScrubAsync(CancellationToken cancellationToken) =>
        Tell(MaintenanceReport.Idle with { Scrub = await _run.ScrubAsync(cancellationToken).ConfigureAwait(false) });

    private Task EveryAsync(TimeSpan pause, Func<CancellationToken, Task> work, CancellationToken cancellationToken) =>
        Repeated.EveryAsync(pause, work, _fail, _engine.Time, cancellationToken);

    private void Tell(MaintenanceReport report)
    {
        if (!report.IsIdle)
        {
            _tell(report);
        }
    }

    private async Task<TimeSpan?> TimeToExpiryAsync(CancellationToken cancellationToken)
    {
        try
        {
            var options = new StoreOptions { Time = _engine.Time, Access = MetadataAccess.ReadOnly };
            var root = await StoreRoot.OpenAsync(_engine.Root, options, cancellationToken).ConfigureAwait(false);
            await using var closing = root.ConfigureAwait(false);
            return Expiries.TimeToNext(root, _collected is { } at ? _engine.Time.GetElapsedTime(at) : null, _engine.Time);
        }
        catch (Exception failure) when (failure is ImageStoreException or IOException or UnauthorizedAccessException)
        {
            // The next round meets the same, and tells of it.
            return null;
        }
    }
}
