using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>Removes a namespace with all that it has.</summary>
public sealed class NamespacePurge(StoreRoot root)
{
    private const int Batch = 1024;

    /// <summary>Removes it. Blobs that other namespaces see stay theirs.</summary>
    /// <returns>What went.</returns>
    /// <exception cref="ImageStoreException">There is no such namespace (<see cref="ErrorKind.NotFound"/>), or something of it is in use
    /// (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public async Task<PurgeReport> RunAsync(string name, CancellationToken cancellationToken)
    {
        if (root.Namespaces.Find(name) is null)
        {
            throw NamespaceCatalogue.Missing(name);
        }

        var graph = new ReferenceGraph(root.Resources, Moment.Start);
        var removed = new Removals();
        long freed;
        try
        {
            RefuseInUse(root.Database.View(), name);
            foreach (var batch in graph.All(root.Database.View(), name).Select(row => row.Resource).Chunk(Batch))
            {
                removed.Add(await root.Database.CommitAsync(tx => Remove(graph, tx, name, batch), cancellationToken).ConfigureAwait(false));
            }
        }
        finally
        {
            freed = await FileDeletion.RunAsync(graph, removed.Files).ConfigureAwait(false);
        }

        var content = root.Content(name);
        var ingests = content.ListIngests();
        foreach (var ingest in ingests)
        {
            content.AbortIngest(ingest.Ref);
        }

        await root.Namespaces.RemoveAsync(name, cancellationToken).ConfigureAwait(false);
        return new PurgeReport(name, removed.Resources, ingests.Count, freed + ingests.Sum(ingest => ingest.Offset));
    }

    private Removals Remove(ReferenceGraph graph, MetadataTransaction tx, string name, Resource[] batch)
    {
        RefuseInUse(tx, name);
        var removed = new Removals();
        foreach (var resource in batch)
        {
            removed.Add(resource, graph.Remove(tx, resource));
        }

        return removed;
    }

    // Snapshots that are written to or mounted would be taken from under whoever uses them.
    private void RefuseInUse(IMetadataReader rows, string name)
    {
        foreach (var row in root.Resources.Single(table => table.Kind == ResourceKind.Snapshot).All(rows, name))
        {
            if (row.InUse)
            {
                throw new ImageStoreException(
                    ErrorKind.FailedPrecondition,
                    $"{Printable.Of(row.Resource.ToString())} of the namespace {name} is in use.",
                    "Unmount it with 'imagestore unmount', or remove it with 'imagestore snapshots rm'.");
            }
        }
    }
}

/// <summary>What went with a namespace.</summary>
/// <param name="Namespace">Its name.</param>
/// <param name="Removed">What was in it.</param>
/// <param name="Ingests">Unfinished downloads.</param>
/// <param name="FreedBytes">Bytes of files that are gone.</param>
public sealed record PurgeReport(string Namespace, IReadOnlyList<Resource> Removed, int Ingests, long FreedBytes);
