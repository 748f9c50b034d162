namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Brings rows and directories together again after a crash or a power cut.</summary>
internal static class SnapshotRecovery
{
    /// <summary>Forgets what is not known durable, then deletes what no row names.</summary>
    public static async Task RunAsync(
        SnapshotCatalogue catalogue, SnapshotDirectories directories, CancellationToken cancellationToken)
    {
        await QuarantineAsync(catalogue, directories, cancellationToken).ConfigureAwait(false);
        await Task.Run(() => directories.Sweep(catalogue.AllIds), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes committed snapshots and views that were not known durable or stand on such.</summary>
    /// <remarks>
    /// Active snapshots stay, since they hold what a container wrote; they are absent until their parent is unpacked
    /// again under its name.
    /// </remarks>
    public static async Task QuarantineAsync(
        SnapshotCatalogue catalogue, SnapshotDirectories directories, CancellationToken cancellationToken)
    {
        if (!catalogue.List().Any(pair => IsLost(pair.Value)))
        {
            return;
        }

        var lost = await catalogue.CommitAsync(
            rows =>
            {
                var ids = new List<long>();
                foreach (var (name, row) in rows.List().Where(pair => IsLost(pair.Value)).ToList())
                {
                    rows.Delete(name);
                    ids.Add(row.Id);
                }

                return ids;
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var id in lost)
        {
            directories.MoveAside(id);
        }

        bool IsLost(SnapshotRow row) =>
            row.Kind != SnapshotKind.Active && (!catalogue.IsDurable(row) || catalogue.Parents(row) is null);
    }
}
