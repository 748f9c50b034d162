using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>Removes what nothing refers to, while others go on reading and writing.</summary>
/// <remarks>
/// <para>
/// Marking looks at the rows of one moment, and keeps nobody waiting. Removing takes small transactions, one after the
/// other; each first marks what others have changed since, with all that it keeps now, so that nothing goes that has got
/// a reference meanwhile. Whatever becomes reachable does so through a row that was changed: an image or lease that was made, a
/// label that was set, a blob that was committed. Files go after the rows, outside of any transaction.
/// </para>
/// <para>docs/gc.md has the rules; containerd's labels mean what they mean there.</para>
/// </remarks>
public sealed class Collector(StoreRoot root, IReadOnlyList<IResourceTable> tables, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>For tests: runs between the marking and each removal.</summary>
    internal Func<Task>? Between { get; set; }

    /// <summary>For tests: how much goes in one transaction.</summary>
    internal int? Batch { get; set; }

    /// <summary>Removes all that may go.</summary>
    /// <exception cref="ImageStoreException">The disk refuses; what was removed by then stays removed, and a repeat does the rest.</exception>
    public async Task<CollectionReport> CollectAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await CollectAloneAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            root.Database.Unwatch();
            _one.Release();
        }
    }

    /// <summary>Tells what would go, and changes nothing.</summary>
    public async Task<CollectionReport> PlanAsync(CancellationToken cancellationToken)
    {
        var marks = new Marks(Graph());
        var rows = root.Database.View();
        var white = await Task.Run(() => marks.MarkAll(rows, cancellationToken), cancellationToken).ConfigureAwait(false);
        var blobs = white.Where(row => row.Resource.Kind == ResourceKind.Content).ToList();
        var staying = tables.SelectMany(table => table.All(rows)).Where(row => row.Resource.Kind == ResourceKind.Content)
            .Select(row => (row.Resource.Namespace, row.Resource.Key)).Except(blobs.Select(row => (row.Resource.Namespace, row.Resource.Key)))
            .Select(blob => blob.Key).ToHashSet(StringComparer.Ordinal);
        var (strays, bytes) = await root.SweepFilesAsync(dryRun: true, cancellationToken).ConfigureAwait(false);
        return new CollectionReport(
            DryRun: true,
            [.. white.Select(row => row.Resource)],
            marks.Count,
            blobs.Where(row => !staying.Contains(row.Resource.Key)).DistinctBy(row => row.Resource.Key).Sum(row => row.Size)
                + white.Where(row => row.Resource.Kind == ResourceKind.Snapshot).Sum(row => row.Size) + bytes,
            strays,
            root.SweepIngests(dryRun: true));
    }

    /// <summary>The chain from what stays by itself to <paramref name="resource"/>, and why its first link stays.</summary>
    /// <exception cref="ImageStoreException">There is no such resource (<see cref="ErrorKind.NotFound"/>).</exception>
    public Explanation Explain(Resource resource, CancellationToken cancellationToken)
    {
        var graph = Graph();
        var rows = root.Database.View();
        if (graph.Find(rows, resource) is null)
        {
            throw new ImageStoreException(
                ErrorKind.NotFound,
                $"There is no {Printable.Of(resource.ToString())} in the namespace {resource.Namespace}.",
                "'imagestore content ls' and 'imagestore snapshots ls' show what is there.");
        }

        var marks = new Marks(graph);
        marks.MarkAll(rows, cancellationToken);
        if (!marks.Has(resource))
        {
            return new Explanation(resource, null, []);
        }

        List<Resource> chain = [resource];
        while (marks.From(chain[^1]) is { } keeper)
        {
            chain.Add(keeper);
        }

        chain.Reverse();
        return new Explanation(resource, graph.Find(rows, chain[0]) is { } first ? graph.Root(first) : null, chain);
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task<CollectionReport> CollectAloneAsync(CancellationToken cancellationToken)
    {
        var graph = Graph();
        var marks = new Marks(graph);
        var (view, watch) = await root.Database.WatchAsync(cancellationToken).ConfigureAwait(false);
        var white = await Task.Run(() => marks.MarkAll(view, cancellationToken), cancellationToken).ConfigureAwait(false);
        List<Resource> removed = [];
        var freed = 0L;

        // In any order: what a crash leaves of it is white again, and a snapshot without its parent counts as absent.
        var size = new BatchSize();
        for (var done = 0; done < white.Count;)
        {
            await Pause().ConfigureAwait(false);
            var batch = white.Skip(done).Take(Batch ?? size.Next).Select(row => row.Resource).ToList();
            var started = time.GetTimestamp();
            var (gone, files) = await root.Database.CommitAsync(
                tx => Remove(graph, marks, watch, tx, batch), cancellationToken).ConfigureAwait(false);
            size.Took(time.GetElapsedTime(started));
            done += batch.Count;
            removed.AddRange(gone);
            foreach (var file in files)
            {
                freed += await file().ConfigureAwait(false);
            }
        }

        var (strays, bytes) = await root.SweepFilesAsync(dryRun: false, cancellationToken).ConfigureAwait(false);
        var ingests = root.SweepIngests(dryRun: false);
        return new CollectionReport(DryRun: false, removed, marks.Count, freed + bytes, strays, ingests);
    }

    private static (List<Resource> Gone, List<Func<Task<long>>> Files) Remove(
        ReferenceGraph graph, Marks marks, MetadataWatch watch, MetadataTransaction tx, List<Resource> batch)
    {
        foreach (var changed in watch.Take())
        {
            if (graph.Of(changed) is { } resource)
            {
                marks.Shade(tx, resource);
            }
        }

        List<Resource> gone = [];
        List<Func<Task<long>>> files = [];
        foreach (var resource in batch.Where(resource => !marks.Has(resource)))
        {
            gone.Add(resource);
            if (graph.Remove(tx, resource) is { } file)
            {
                files.Add(file);
            }
        }

        return (gone, files);
    }

    private Task Pause() => Between?.Invoke() ?? Task.CompletedTask;

    private ReferenceGraph Graph() => new(tables, time.GetUtcNow());
}
