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
public sealed class Collector(StoreRoot root, TimeProvider time) : IDisposable
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
        var rows = root.Database.View();
        var marked = await MarkPhase.RunAsync(Graph(), rows, cancellationToken).ConfigureAwait(false);
        var (strays, bytes) = await root.SweepFilesAsync(dryRun: true, cancellationToken).ConfigureAwait(false);
        return new CollectionReport(
            DryRun: true,
            marked.White,
            marked.Kept,
            BytesOf(marked.White, rows) + bytes,
            strays,
            root.SweepIngests(dryRun: true));
    }

    /// <summary>The chain from what stays by itself to <paramref name="resource"/>, and why its first link stays.</summary>
    /// <exception cref="ImageStoreException">There is no such resource (<see cref="ErrorKind.NotFound"/>).</exception>
    public async Task<Explanation> ExplainAsync(Resource resource, CancellationToken cancellationToken)
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

        var marked = await MarkPhase.RunAsync(graph, rows, cancellationToken).ConfigureAwait(false);
        if (!marked.Has(resource))
        {
            return new Explanation(resource, null, []);
        }

        List<Resource> chain = [resource];
        while (marked.From(chain[^1]) is { } keeper)
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
        var (view, watch) = await root.Database.WatchAsync(cancellationToken).ConfigureAwait(false);
        var marked = await MarkPhase.RunAsync(graph, view, cancellationToken).ConfigureAwait(false);
        var removed = new Removals();
        var freed = 0L;
        try
        {
            await RemoveAsync(graph, marked, watch, removed, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Also after a failure: a disk that is full takes no further rows until these files are gone.
            freed = await FileDeletion.RunAsync(graph, removed.Files).ConfigureAwait(false);
        }

        var (strays, bytes) = await root.SweepFilesAsync(dryRun: false, cancellationToken).ConfigureAwait(false);
        var ingests = root.SweepIngests(dryRun: false);
        return new CollectionReport(DryRun: false, removed.Resources, marked.Kept, freed + bytes, strays, ingests);
    }

    private async Task RemoveAsync(
        ReferenceGraph graph, MarkPhase marked, MetadataWatch watch, Removals removed, CancellationToken cancellationToken)
    {
        var size = new BatchSize();
        for (var done = 0; done < marked.White.Count;)
        {
            await Pause().ConfigureAwait(false);
            var batch = marked.White.Skip(done).Take(Batch ?? size.Next).ToList();
            var started = time.GetTimestamp();
            removed.Add(await root.Database.CommitAsync(tx => Remove(graph, marked, watch, tx, batch), cancellationToken).ConfigureAwait(false));
            size.Took(time.GetElapsedTime(started));
            done += batch.Count;
        }
    }

    private static Removals Remove(
        ReferenceGraph graph, MarkPhase marked, MetadataWatch watch, MetadataTransaction tx, List<Resource> batch)
    {
        tx.IsUnwatched = true;
        foreach (var changed in watch.Take())
        {
            if (graph.Of(changed) is { } resource)
            {
                marked.Shade(tx, resource);
            }
        }

        var removed = new Removals();
        foreach (var resource in batch)
        {
            if (!marked.Has(resource))
            {
                removed.Add(resource, graph.Remove(tx, resource));
            }
        }

        return removed;
    }

    /// <summary>What deleting would free: of blobs those that no other namespace goes on seeing.</summary>
    private long BytesOf(IReadOnlyList<Resource> white, IMetadataReader rows)
    {
        var going = white.ToHashSet();
        var content = root.Resources.Single(table => table.Kind == ResourceKind.Content);
        var staying = content.Namespaces(rows).SelectMany(ns => content.All(rows, ns))
            .Where(row => !going.Contains(row.Resource)).Select(row => row.Resource.Key).ToHashSet(StringComparer.Ordinal);
        return white.Where(one => one.Kind == ResourceKind.Snapshot).Sum(SizeOf)
            + white.Where(one => one.Kind == ResourceKind.Content && !staying.Contains(one.Key)).DistinctBy(one => one.Key).Sum(SizeOf);

        long SizeOf(Resource one) => root.Resources.Single(table => table.Kind == one.Kind).Find(rows, one)?.Size ?? 0;
    }

    private Task Pause() => Between?.Invoke() ?? Task.CompletedTask;

    private ReferenceGraph Graph() => new(root.Resources, Moment.Now(time));
}
