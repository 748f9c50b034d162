using ImageStore.Store.Metadata;

namespace ImageStore.Store.Namespaces;

/// <summary>The namespaces of a root; a namespace is a tenant.</summary>
public sealed class NamespaceCatalogue
{
    private readonly MetadataDb _db;
    private readonly TimeProvider _time;

    internal NamespaceCatalogue(MetadataDb db, TimeProvider time) => (_db, _time) = (db, time);

    /// <summary>The names, ordered.</summary>
    public IReadOnlyList<string> List() => [.. _db.List(StoreTables.Namespaces, string.Empty).Select(row => row.Key)];

    /// <summary>Makes the namespace unless it is there.</summary>
    public async Task EnsureAsync(string name, CancellationToken cancellationToken)
    {
        NamespaceName.Check(name);
        if (_db.Get(StoreTables.Namespaces, name) is null)
        {
            await _db.CommitAsync(
                tx => tx.Put(StoreTables.Namespaces, name, new NamespaceRow(_time.GetUtcNow(), [])),
                cancellationToken).ConfigureAwait(false);
        }
    }
}
