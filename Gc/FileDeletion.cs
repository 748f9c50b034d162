using System.Collections.Concurrent;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>Deletes the files of what was removed, several at once: a filesystem that discards blocks waits for its disk at each.</summary>
internal static class FileDeletion
{
    private const int Threads = 8;

    /// <summary>Deletes them all.</summary>
    /// <returns>The bytes that are free then.</returns>
    public static async Task<long> RunAsync(ReferenceGraph graph, IReadOnlyCollection<(ResourceKind Kind, string Files)> files)
    {
        var queue = new ConcurrentQueue<(ResourceKind Kind, string Files)>(files);
        var freed = await Task.WhenAll(Enumerable.Range(0, Math.Min(Threads, files.Count)).Select(_ => Task.Factory.StartNew(
            () => Take(graph, queue), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))).ConfigureAwait(false);
        return freed.Sum();
    }

    private static long Take(ReferenceGraph graph, ConcurrentQueue<(ResourceKind Kind, string Files)> queue)
    {
        var freed = 0L;
        while (queue.TryDequeue(out var one))
        {
            freed += graph.DeleteFiles(one.Kind, one.Files);
        }

        return freed;
    }
}
