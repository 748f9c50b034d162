using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Store.Leases;

/// <summary>The leases of one namespace. A lease is passed as an argument, never ambient.</summary>
public sealed class LeaseManager
{
    private static readonly TimeSpan s_workLifetime = TimeSpan.FromHours(24);
    private static readonly TimeSpan s_maxLifetime = TimeSpan.FromDays(36525);

    private readonly MetadataDb _db;
    private readonly string _namespace;
    private readonly TimeProvider _time;

    internal LeaseManager(MetadataDb db, string @namespace, TimeProvider time) =>
        (_db, _namespace, _time) = (db, @namespace, time);

    /// <summary>Makes a lease that expires by itself after <paramref name="lifetime"/>, or never when that is null.</summary>
    /// <exception cref="ImageStoreException">The id or lifetime is malformed (<see cref="ErrorKind.InvalidArgument"/>) or taken
    /// (<see cref="ErrorKind.AlreadyExists"/>).</exception>
    public Task<Lease> CreateAsync(
        string id, TimeSpan? lifetime, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        LeaseName.Check(id);
        if (lifetime is { } wanted && (wanted <= TimeSpan.Zero || wanted > s_maxLifetime))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"A lease cannot live for {wanted}.", "Give it more than nothing and at most a hundred years.");
        }

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
                    all[Labels.Expire] = Labels.TimeText(now + span);
                }

                var ends = Labels.Time(all, Labels.Expire) is { } at ? Moment.Now(_time).Until(at) : null;
                tx.Put(StoreTables.Leases, Key(id), new LeaseRow(now, all, ends));
                return new Lease(_namespace, id, now, all);
            },
            cancellationToken);
    }

    /// <summary>Makes a lease for a piece of work, which deletes it at its end; should it die, the lease ends after a day, as containerd's clients' do.</summary>
    /// <param name="work">What the id begins with, such as <c>pull</c>.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public Task<Lease> CreateForAsync(string work, CancellationToken cancellationToken) =>
        CreateAsync($"{work}-{Guid.NewGuid():N}", s_workLifetime, Labels.None, cancellationToken);

    /// <summary>The lease, or null.</summary>
    public Lease? Find(string id) =>
        _db.Get(StoreTables.Leases, Key(id)) is { } row ? new Lease(_namespace, id, row.CreatedAt, row.Labels) : null;

    /// <summary>All leases, ordered by id.</summary>
    public IReadOnlyList<Lease> List() =>
        [.. _db.List(StoreTables.Leases, _namespace + "/")
            .Select(row => new Lease(_namespace, LeaseName.FromKey(row.Key[(_namespace.Length + 1)..]), row.Value.CreatedAt, row.Value.Labels))];

    /// <summary>What a lease keeps.</summary>
    public IReadOnlyList<LeaseResource> Resources(string id) =>
        [.. _db.List(StoreTables.LeaseResources, Key(id) + "/").Select(row => new LeaseResource(row.Value.Type, row.Value.Id))];

    /// <summary>Has the lease keep <paramref name="resource"/> as well.</summary>
    /// <exception cref="ImageStoreException">The lease is gone (<see cref="ErrorKind.FailedPrecondition"/>), is another
    /// namespace's, or the resource is malformed (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public Task AddAsync(Lease lease, LeaseResource resource, CancellationToken cancellationToken) =>
        AddAsync(lease, [resource], cancellationToken);

    /// <summary>Has the lease keep all of <paramref name="resources"/> as well, or none of them.</summary>
    /// <exception cref="ImageStoreException">As for <see cref="AddAsync(Lease, LeaseResource, CancellationToken)"/>.</exception>
    public Task AddAsync(Lease lease, IReadOnlyList<LeaseResource> resources, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return lease.Namespace == _namespace
            ? _db.CommitAsync(
                tx =>
                {
                    foreach (var resource in resources)
                    {
                        Add(tx, lease, resource, Moment.Now(_time));
                    }
                },
                cancellationToken)
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"The lease {lease.Id} belongs to the namespace {lease.Namespace}, not {_namespace}.");
    }

    /// <summary>Has a lease no longer keep <paramref name="resource"/>; one that it does not keep is no error.</summary>
    public Task RemoveAsync(string id, LeaseResource resource, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return _db.CommitAsync(tx => Remove(tx, Key(id), resource), cancellationToken);
    }

    /// <summary>Ends a lease; deleting one that is gone is no error.</summary>
    /// <returns>False when it is gone.</returns>
    public Task<bool> DeleteAsync(string id, CancellationToken cancellationToken) =>
        _db.CommitAsync(tx => Delete(tx, Key(id)), cancellationToken);

    /// <summary>Deletes a lease and what it holds on to.</summary>
    internal static bool Delete(MetadataTransaction tx, string rowKey)
    {
        var found = tx.Delete(StoreTables.Leases, rowKey);
        foreach (var (key, _) in tx.List(StoreTables.LeaseResources, rowKey + "/"))
        {
            tx.Delete(StoreTables.LeaseResources, key);
        }

        return found;
    }

    /// <summary>Lets go of a resource within a transaction that has it be something else.</summary>
    internal static void Remove(MetadataTransaction tx, string rowKey, LeaseResource resource) =>
        tx.Delete(StoreTables.LeaseResources, ResourceKey(rowKey, resource));

    /// <summary>Adds within a transaction that also makes the resource, so that there is no moment between.</summary>
    internal static void Add(MetadataTransaction tx, Lease lease, LeaseResource resource, Moment now)
    {
        if (resource.Type.Length == 0 || resource.Id.Length == 0 || resource.Type.Contains(':', StringComparison.Ordinal))
        {
            // With a colon in the type two resources would share a key, and one of them would be kept no more.
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(resource.Type)}:{Printable.Of(resource.Id)}' is not a resource.",
                "A resource has a type, without ':', and an id.");
        }

        var key = RowKey(lease.Namespace, lease.Id);
        if (tx.Get(StoreTables.Leases, key) is not { } row || row.IsExpired(now))
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition, $"The lease {lease.Id} is gone.", "It expired or was deleted: start again.");
        }

        tx.Put(
            StoreTables.LeaseResources,
            ResourceKey(key, resource),
            new LeaseResourceRow(resource.Type, resource.Id));
    }

    private static string ResourceKey(string lease, LeaseResource resource) => $"{lease}/{resource.Type}:{resource.Id}";

    private string Key(string id) => RowKey(_namespace, id);

    /// <summary>The key of a lease's row.</summary>
    internal static string RowKey(string @namespace, string id) => $"{@namespace}/{LeaseName.ToKey(id)}";
}
