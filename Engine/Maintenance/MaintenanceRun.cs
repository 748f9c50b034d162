using ImageStore.Engine.Fsck;
using ImageStore.Engine.Serving;
using ImageStore.Gc;
using ImageStore.Gc.Pressure;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Engine.Maintenance;

/// <summary>One round of what a root needs from time to time: room, a collection, a backup, and a look at some of its blobs.</summary>
/// <remarks>The root is held only while it is changed; blobs are read beside whoever works on it.</remarks>
public sealed class MaintenanceRun(EngineOptions engine, bool scrub, IProgress<FsckProgress>? progress)
{
    /// <summary>Makes a round.</summary>
    /// <exception cref="ImageStoreException">The root cannot be opened, or the disk refuses. Damage that is found is none: the report has it.</exception>
    public async Task<MaintenanceReport> RunAsync(CancellationToken cancellationToken)
    {
        var (report, _) = await TidyAsync(cancellationToken).ConfigureAwait(false);
        return report with { Scrub = await ScrubAsync(cancellationToken).ConfigureAwait(false) };
    }

    /// <summary>Makes room or collects, and backs the metadata up when the last backup is old: the part that holds the root.</summary>
    /// <returns>What was done, and when the metadata was last changed while nobody else could.</returns>
    internal async Task<(MaintenanceReport Report, DateTime Changed)> TidyAsync(CancellationToken cancellationToken)
    {
        var isServed = false;
        StoreEngine opened;
        try
        {
            opened = await StoreEngine.OpenAsync(engine with { Access = MetadataAccess.ReadWrite, MakeNamespace = false, OnWait = engine.OnWait is null ? null : Wait }, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (ImageStoreException) when (isServed)
        {
            // A daemon does all of this itself.
            return (MaintenanceReport.Idle, StoreRoot.ChangedAt(engine.Root));
        }

        await using var closing = opened.ConfigureAwait(false);
        var eviction = engine.Settings.Marks is { } marks && DiskSpace.Of(opened.Root).Used > marks.High
            ? await opened.RelieveAsync(marks, cancellationToken).ConfigureAwait(false)
            : null;
        var collection = eviction is null ? await opened.CollectAsync(cancellationToken).ConfigureAwait(false) : null;
        var report = BackUp(opened, MaintenanceReport.Idle with { Collection = collection, Eviction = eviction });
        return (report, StoreRoot.ChangedAt(opened.Root));

        void Wait(string holder)
        {
            isServed = ServedRoot.IsDaemon(holder);
            ServedRoot.RefuseCommand(engine.Root, holder);
            engine.OnWait(holder);
        }
    }

    // What was collected is done: a disk that has no room for a backup does not undo it.
    private static MaintenanceReport BackUp(StoreEngine opened, MaintenanceReport report)
    {
        try
        {
            return report with { Backup = opened.BackUpWhenDue() };
        }
        catch (ImageStoreException failure)
        {
            return report with { BackupFailure = failure.Message };
        }
    }

    /// <summary>Reads a slice of the blobs, while a pass over them is under way or due; else null.</summary>
    internal async Task<FsckReport?> ScrubAsync(CancellationToken cancellationToken)
    {
        var settings = engine.Settings.Scrub;
        if (!scrub || settings.Interval is not { } interval || !ScrubState.IsDue(Path.GetFullPath(engine.Root), interval, engine.Time.GetUtcNow()))
        {
            return null;
        }

        var options = new FsckOptions { Resume = true, BytesPerSecond = settings.BytesPerSecond, AtMost = settings.Slice };
        return await new FsckRun(engine, options, progress).RunAsync(cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>What a round of maintenance did.</summary>
/// <param name="Collection">The collection; null where room was made instead, which collects too.</param>
/// <param name="Eviction">What making room did; null while there was enough.</param>
/// <param name="Backup">The backup of the metadata that was written; null while the last one is young.</param>
/// <param name="BackupFailure">Why there is no backup though one is due.</param>
/// <param name="Scrub">What reading some of the blobs showed; null while no pass over them is due.</param>
public sealed record MaintenanceReport(
    CollectionReport? Collection, EvictionReport? Eviction, string? Backup, string? BackupFailure, FsckReport? Scrub)
{
    /// <summary>Nothing.</summary>
    public static MaintenanceReport Idle { get; } = new(null, null, null, null, null);

    /// <summary>Is there nothing to tell of it?</summary>
    public bool IsIdle => this is { Eviction: null, Backup: null, BackupFailure: null, Scrub: null }
        && Collection is null or { Removed.Count: 0, StrayFiles: 0, Ingests: 0 };
}
