using ImageStore.Distribution.Registry;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Engine.Fsck;

/// <summary>Checks a root, all namespaces of it, and puts right what can be.</summary>
/// <remarks>Without repair it only reads, beside whoever works on the root; what comes or goes meanwhile is looked at twice.</remarks>
public sealed class FsckRun(EngineOptions engine, FsckOptions options, IProgress<FsckProgress>? progress)
{
    /// <summary>Checks.</summary>
    /// <exception cref="ImageStoreException">The root is not there or cannot be reached, or is in use while it is to be repaired.</exception>
    public async Task<FsckReport> RunAsync(CancellationToken cancellationToken)
    {
        // Elsewhere a root that is not there yet is an empty one; who asks whether all is well is to hear of a slip in its path.
        if (!Directory.Exists(engine.Root))
        {
            throw new ImageStoreException(
                ErrorKind.NotFound,
                $"There is no root directory {Printable.Of(engine.Root)} to check.",
                "Name it with --root or IMAGESTORE_ROOT.");
        }

        List<Finding> findings = [];
        var (rows, rebuilt) = await MetadataAsync(findings, cancellationToken).ConfigureAwait(false);
        if (rows is null)
        {
            return new FsckReport(0, 0, 0, 0, false, 0, 0, findings, null);
        }

        var root = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var closing = root.ConfigureAwait(false);
        if (root.PendingRebuild is { } mark)
        {
            findings.AddRange(await RecoverAsync(root, mark, cancellationToken).ConfigureAwait(false));
        }

        var registry = options is { Repair: true, Fetch: true } ? new RegistryClient(engine.Registry with { Time = engine.Time }) : null;
        await using var hangingUp = (registry ?? (IAsyncDisposable)new Nothing()).ConfigureAwait(false);
        var view = root.Database.View();
        var refetch = new BlobRefetch(root, view, registry);
        var blobs = new BlobCheck(root, view, refetch);
        var faults = new List<Fault>([.. new FolderCheck(root, view).Run(), .. blobs.Run(), .. new SnapshotCheck(root, view, options.Quick).Run(cancellationToken)]);
        var scrub = new BlobScrub(root, options, engine.Time, progress);
        if (!options.Quick)
        {
            await scrub.RunAsync(cancellationToken).ConfigureAwait(false);
            faults.AddRange(blobs.Damaged(scrub.Damaged));
        }

        findings.AddRange(await SettleAsync(root, faults, cancellationToken).ConfigureAwait(false));

        // After the blobs, so that an image that was put right is not told of.
        foreach (var ns in root.Namespaces.List())
        {
            var images = await new ImageCheck(root.Content(ns.Name), root.Images(ns.Name), ns.Name).RunAsync(cancellationToken).ConfigureAwait(false);
            findings.AddRange(await SettleAsync(root, images, cancellationToken).ConfigureAwait(false));
        }

        return new FsckReport(
            rows.Value,
            root.BlobFiles().Count(),
            scrub.Verified.Blobs,
            scrub.Verified.Bytes,
            scrub.IsComplete,
            root.Namespaces.List().Sum(ns => root.Images(ns.Name).List().Count),
            SnapshotPlaces.All(root.Directory, root.Database).Count,
            findings,
            rebuilt);
    }

    /// <summary>Reads all rows; a database that cannot be read is rebuilt where that is asked for.</summary>
    private async Task<(long? Rows, RebuildReport? Rebuilt)> MetadataAsync(List<Finding> findings, CancellationToken cancellationToken)
    {
        try
        {
            return (await Task.Run(() => StoreRoot.CheckMetadata(engine.Root), cancellationToken).ConfigureAwait(false), null);
        }
        catch (ImageStoreException damaged) when (damaged.Kind is ErrorKind.CorruptData or ErrorKind.Internal || IoErrors.IsOfTheDisk(damaged))
        {
            var finding = new Finding(FindingKind.MetadataDamaged, IsDamage: true, null, "metadata", damaged.Message);
            if (!options.Repair)
            {
                findings.Add(finding with { Remedy = "'imagestore fsck --repair' rebuilds it from what is whole, from its last backup and from the disk." });
                return (null, null);
            }

            var rebuilt = await StoreRoot.RebuildMetadataAsync(engine.Root, Options(), cancellationToken).ConfigureAwait(false);
            var lost = rebuilt.LostTables.Count > 0 ? $"; nothing is left of {string.Join(", ", rebuilt.LostTables)}" : string.Empty;
            findings.Add(finding with
            {
                Repair = (rebuilt.BackupAt is { } at ? $"rebuilt with the backup of {at:u}" : "rebuilt from what was whole") + lost,
            });
            return (StoreRoot.CheckMetadata(engine.Root), rebuilt);
        }
    }

    /// <summary>Goes on where the rebuilding of the metadata ended, or was ended.</summary>
    private async Task<IReadOnlyList<Finding>> RecoverAsync(StoreRoot root, RebuildMark mark, CancellationToken cancellationToken)
    {
        if (!options.Repair)
        {
            return
            [
                new Finding(FindingKind.MetadataDamaged, IsDamage: true, null, "metadata", $"it was rebuilt at {mark.At:u}, and what the disk has is not yet given back")
                {
                    Remedy = "'imagestore fsck --repair' goes on with it.",
                },
            ];
        }

        var findings = await new Recovery(root, mark, engine.Time).RunAsync(cancellationToken).ConfigureAwait(false);
        root.EndRebuild();
        return findings;
    }

    private async Task<IReadOnlyList<Finding>> SettleAsync(StoreRoot root, IReadOnlyList<Fault> faults, CancellationToken cancellationToken)
    {
        List<Finding> settled = [];
        foreach (var fault in options.Repair || faults.Count == 0 ? faults : await StillThereAsync(root, faults, cancellationToken).ConfigureAwait(false))
        {
            settled.Add(options.Repair && fault.Repair is { } repair && await repair(cancellationToken).ConfigureAwait(false) is { } how
                ? fault.Finding with { Repair = how, Remedy = null }
                : fault.Finding);
        }

        return settled;
    }

    /// <summary>Without a lock on the root, what seems to be missing may just have been removed.</summary>
    private async Task<IReadOnlyList<Fault>> StillThereAsync(StoreRoot root, IReadOnlyList<Fault> faults, CancellationToken cancellationToken)
    {
        var now = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var closing = now.ConfigureAwait(false);
        var tables = root.Resources.ToDictionary(table => table.Kind);
        return [.. faults.Where(fault => fault.Finding.Kind switch
        {
            FindingKind.BlobMissing => Has(ResourceKind.Content, fault.Finding),
            FindingKind.SnapshotMissing or FindingKind.SnapshotDamaged or FindingKind.SnapshotOrphaned => Has(ResourceKind.Snapshot, fault.Finding),
            FindingKind.ImageIncomplete => Has(ResourceKind.Image, fault.Finding),
            FindingKind.ReferencesMissing => Has(ResourceKind.Content, fault.Finding),
            FindingKind.BlobDamaged => File.Exists(root.PathOf(Store.Oci.Digest.Parse(fault.Finding.Subject))),
            _ => true,
        })];

        bool Has(ResourceKind kind, Finding finding) =>
            tables[kind].Find(now.Database, new Resource(kind, finding.Namespace, finding.Subject)) is not null;
    }

    private Task<StoreRoot> OpenAsync(CancellationToken cancellationToken) => StoreRoot.OpenAsync(engine.Root, Options(), cancellationToken);

    private StoreOptions Options() => new()
    {
        Access = options.Repair ? MetadataAccess.ReadWrite : MetadataAccess.ReadOnly,
        IsRepair = options.Repair,
        OnWait = engine.OnWait,
        Sharing = engine.Settings.Sharing,
        OtherResources = directory => [SnapshotterFactory.Resources(directory, RemovalBudget.Unlimited)],
        Time = engine.Time,
    };

    private sealed class Nothing : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
