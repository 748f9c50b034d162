using ImageStore.Store;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Gc.Pressure;

/// <summary>Makes room when the filesystem gets full: removes the images that were used longest ago, a few at a time, until enough is free.</summary>
public sealed class DiskPressure(StoreRoot root, Collector collector, Func<DiskSpace> space, TimeProvider time)
{
    private const int MostAtOnce = 32;

    /// <summary>Removes images while more than the high mark is used, down to the low one.</summary>
    /// <returns>What went; nothing while the high mark is not reached.</returns>
    public async Task<EvictionReport> RelieveAsync(WaterMarks marks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(marks);
        var before = space();
        List<Resource> evicted = [];
        if (before.Used <= marks.High)
        {
            return new EvictionReport(evicted, 0, before.Used, before.Used, IsEnough: true);
        }

        // Garbage first: it may be enough.
        var freed = (await collector.CollectAsync(cancellationToken).ConfigureAwait(false)).FreedBytes;
        while (space().BytesAbove(marks.Low) is > 0 and var needed)
        {
            var removed = await RemoveAsync(Choose(needed), cancellationToken).ConfigureAwait(false);
            if (removed.Count == 0)
            {
                break;
            }

            evicted.AddRange(removed);
            freed += (await collector.CollectAsync(cancellationToken).ConfigureAwait(false)).FreedBytes;
        }

        return new EvictionReport(evicted, freed, before.Used, space().Used, space().Used <= marks.Low);
    }

    /// <summary>As many as would free enough, were what they keep theirs alone.</summary>
    private List<EvictionCandidate> Choose(long needed)
    {
        var rows = root.Database.View();
        var tables = root.Resources.ToDictionary(table => table.Kind);
        List<EvictionCandidate> chosen = [];
        HashSet<Resource> going = [];
        foreach (var candidate in new EvictionCandidates(root, Moment.Now(time)).Ordered())
        {
            if (needed <= 0 || chosen.Count == MostAtOnce)
            {
                break;
            }

            chosen.Add(candidate);
            needed -= candidate.Keeps.Where(going.Add).Sum(one => tables[one.Kind].Find(rows, one)?.Size ?? 0);
        }

        return chosen;
    }

    private async Task<List<Resource>> RemoveAsync(List<EvictionCandidate> chosen, CancellationToken cancellationToken)
    {
        var images = root.Resources.Single(table => table.Kind == ResourceKind.Image);
        return await root.Database.CommitAsync(
            tx =>
            {
                // What was used, pinned or leased since it was chosen stays.
                List<Resource> removed = [];
                foreach (var candidate in chosen)
                {
                    if (images.Find(tx, candidate.Image) is { } now && now.UsedAt == candidate.UsedAt && !now.Labels.ContainsKey(Labels.Pinned)
                        && !IsLeased(tx, candidate) && !IsInUse(tx, candidate))
                    {
                        images.Remove(tx, candidate.Image);
                        removed.Add(candidate.Image);
                    }
                }

                return removed;
            },
            cancellationToken).ConfigureAwait(false);
    }

    private bool IsInUse(MetadataTransaction tx, EvictionCandidate candidate)
    {
        var snapshots = root.Resources.Single(table => table.Kind == ResourceKind.Snapshot);
        return snapshots.All(tx, candidate.Image.Namespace).Where(snapshot => snapshot.InUse)
            .Any(snapshot => snapshot.References.Any(candidate.Tops.Contains));
    }

    private bool IsLeased(MetadataTransaction tx, EvictionCandidate candidate)
    {
        var graph = new ReferenceGraph(root.Resources, Moment.Now(time));
        return root.Resources.Single(table => table.Kind == ResourceKind.Lease).All(tx, candidate.Image.Namespace)
            .Any(lease => graph.Root(lease) is not null && lease.References.Any(one => one == candidate.Image || candidate.Keeps.Contains(one)));
    }
}

/// <summary>What making room did.</summary>
/// <param name="Evicted">The images that went.</param>
/// <param name="FreedBytes">Bytes of files that are gone, garbage included.</param>
/// <param name="UsedBefore">The share of the filesystem that was used, from 0 to 1.</param>
/// <param name="UsedAfter">The share that is used now.</param>
/// <param name="IsEnough">Is the low mark reached? Where not, all that is left is pinned, leased or in use, or belongs to others.</param>
public sealed record EvictionReport(IReadOnlyList<Resource> Evicted, long FreedBytes, double UsedBefore, double UsedAfter, bool IsEnough);
