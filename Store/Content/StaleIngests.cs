using ImageStore.Store.Metadata;

namespace ImageStore.Store.Content;

/// <summary>Downloads that nobody went on with: after a day they go, unless a lease holds them.</summary>
internal sealed class StaleIngests(MetadataDb db, BlobPaths paths, ContentGuards guards)
{
    // containerd's.
    private static readonly TimeSpan s_lifetime = TimeSpan.FromHours(24);

    /// <summary>Deletes them, or with <paramref name="dryRun"/> only counts them; gives how many.</summary>
    public int Sweep(DateTimeOffset now, bool dryRun)
    {
        var leased = db.List(StoreTables.LeaseResources, string.Empty)
            .Where(row => row.Value.Type == "ingests")
            .Select(row => paths.Ingest(row.Key[..row.Key.IndexOf('/', StringComparison.Ordinal)], row.Value.Id))
            .ToHashSet(StringComparer.Ordinal);
        var count = 0;
        foreach (var path in Directory.Exists(paths.Ingests) ? Directory.EnumerateDirectories(paths.Ingests) : [])
        {
            if (!leased.Contains(path) && new IngestDirectory(path).UpdatedAt + s_lifetime < now && guards.TryEnter(path))
            {
                try
                {
                    if (!dryRun)
                    {
                        new IngestDirectory(path).Delete();
                    }

                    count++;
                }
                finally
                {
                    guards.Leave(path);
                }
            }
        }

        return count;
    }
}
