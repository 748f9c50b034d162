using System.Globalization;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Namespaces;

namespace ImageStore.Store.Leases;

/// <summary>The leases of one namespace. A lease is passed as an argument, never ambient.</summary>
public sealed class LeaseManager
{
    private readonly MetadataDb _db;
    private readonly string _namespace;
    private readonly TimeProvider _time;

    internal LeaseManager(MetadataDb db, string @namespace, TimeProvider time) =>
        (_db, _namespace, _time) = (db, @namespace, time);

    /// <summary>Makes a lease that expires by itself after <paramref name="lifetime"/>, or never when that is null.</summary>
    /// <exception cref="ImageStoreException">The id is malformed (<see cref="ErrorKind.InvalidArgument"/>) or taken
    /// (<see cref="ErrorKind.AlreadyExists"/>).</exception>
    public Task<Lease> CreateAsync(
        string id, TimeSpan? lifetime, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        NamespaceName.Check(id);
        return _db.CommitAsync(
            tx =>
            {
                if (tx.Get(StoreTables.Leases, Key(id)) is not null)
                {
                    throw new ImageStoreException(ErrorKind.AlreadyExists, $"The lease {id} exists.");
                }

                var now = _time.GetUtcNow();
                var all = Labels.Merge(Labels.None, labels);
                if (lifetime is { } span)
                {
                    all[Labels.Expire] = (now + span).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
                }

                tx.Put(StoreTables.Leases, Key(id), new LeaseRow(now, all));
                return new Lease(_namespace, id, now, all);
            },
            cancellationToken);
    }

    /// <summary>All leases, ordered by id.</summary>
    public IReadOnlyList<Lease> List() =>
        [.. _db.List(StoreTables.Leases, _namespace + "/")
            .Select(row => new Lease(_namespace, row.Key[(_namespace.Length + 1)..], row.Value.CreatedAt, row.Value.Labels))];

    /// <summary>What a lease keeps.</summary>
    public IReadOnlyList<LeaseResource> Resources(string id) =>
        [.. _db.List(StoreTables.LeaseResources, Key(id) + "/").Select(row => new LeaseResource(row.Value.Type, row.Value.Id))];

    /// <summary>Has the lease keep <paramref name="resource"/> as well.</summary>
    public Task AddAsync(Lease lease, LeaseResource resource, CancellationToken cancellationToken) =>
        _db.CommitAsync(tx => Add(tx, lease, resource), cancellationToken);

    /// <summary>Ends a lease; deleting one that is gone is no error.</summary>
    public Task DeleteAsync(string id, CancellationToken cancellationToken) =>
        _db.CommitAsync(
            tx =>
            {
                tx.Delete(StoreTables.Leases, Key(id));
                foreach (var (key, _) in tx.List(StoreTables.LeaseResources, Key(id) + "/"))
                {
                    tx.Delete(StoreTables.LeaseResources, key);
                }
            },
            cancellationToken);

    /// <summary>Adds within a transaction that also makes the resource, so that there is no moment between.</summary>
    internal static void Add(MetadataTransaction tx, Lease lease, LeaseResource resource)
    {
        var key = $"{lease.Namespace}/{lease.Id}";
        if (tx.Get(StoreTables.Leases, key) is null)
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition, $"The lease {lease.Id} is gone.", "It expired or was deleted: start again.");
        }

        tx.Put(
            StoreTables.LeaseResources,
            $"{key}/{resource.Type}:{resource.Id}",
            new LeaseResourceRow(resource.Type, resource.Id));
    }

    private string Key(string id) => $"{_namespace}/{id}";
}
