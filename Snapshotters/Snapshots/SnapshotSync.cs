using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Flushes the files of committed snapshots and remembers that they are durable.</summary>
internal static class SnapshotSync
{
    /// <summary>Does so for those that were committed at least <paramref name="minimumAge"/> ago.</summary>
    public static async Task RunAsync(SnapshotCatalogue catalogue, string directory, TimeSpan minimumAge, CancellationToken cancellationToken)
    {
        var latest = catalogue.Now - minimumAge;

        // Read first: what is committed while the flush runs may not be part of it.
        var pending = catalogue.List()
            .Where(pair => pair.Value is { Kind: SnapshotKind.Committed, Synced: false }
                && pair.Value.BootId == catalogue.BootId && pair.Value.CreatedAt <= latest)
            .ToList();
        if (pending.Count == 0)
        {
            return;
        }

        await Task.Run(() => DirectoryHandle.SyncFileSystem(directory), cancellationToken).ConfigureAwait(false);
        await catalogue.CommitAsync(
            rows =>
            {
                foreach (var (name, row) in pending)
                {
                    if (rows.Get(name) is { } now && now.Id == row.Id)
                    {
                        rows.Put(name, now with { Synced = true });
                    }
                }
            },
            cancellationToken).ConfigureAwait(false);
    }
}
