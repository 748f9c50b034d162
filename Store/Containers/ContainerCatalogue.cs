using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Namespaces;

namespace ImageStore.Store.Containers;

/// <summary>The containers of one namespace: what is written of them, not whether they run.</summary>
public sealed class ContainerCatalogue
{
    private readonly MetadataDb _db;
    private readonly string _namespace;
    private readonly string _prefix;
    private readonly TimeProvider _time;

    internal ContainerCatalogue(MetadataDb db, string @namespace, TimeProvider time) =>
        (_db, _namespace, _prefix, _time) = (db, @namespace, @namespace + "/", time);

    /// <summary>The container, or null.</summary>
    public ContainerRecord? Find(string id) => _db.Get(StoreTables.Containers, _prefix + id)?.ToRecord(id);

    /// <summary>All containers, ordered by id.</summary>
    public IReadOnlyList<ContainerRecord> List() =>
        [.. _db.List(StoreTables.Containers, _prefix).Select(row => row.Value.ToRecord(row.Key[_prefix.Length..]))];

    /// <summary>Makes a container; the times of <paramref name="container"/> are not read.</summary>
    /// <exception cref="ImageStoreException">The id, a label or an extension is malformed or there is no runtime
    /// (<see cref="ErrorKind.InvalidArgument"/>), or the id is taken (<see cref="ErrorKind.AlreadyExists"/>).</exception>
    public Task<ContainerRecord> CreateAsync(ContainerRecord container, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(container);
        Identifier.Check(container.Id, "the id of a container", "An id");
        return _db.CommitAsync(
            tx =>
            {
                if (tx.Get(StoreTables.Containers, _prefix + container.Id) is not null)
                {
                    throw new ImageStoreException(ErrorKind.AlreadyExists, $"The container {container.Id} exists.");
                }

                var now = _time.GetUtcNow();
                NamespaceCatalogue.Ensure(tx, _namespace, now);
                return Put(tx, container with { CreatedAt = now, UpdatedAt = now });
            },
            cancellationToken);
    }

    /// <summary>Changes a container.</summary>
    /// <param name="id">Which one.</param>
    /// <param name="change">Gives what it becomes; runs within the transaction. Id and times are not read.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ImageStoreException">There is none (<see cref="ErrorKind.NotFound"/>), or it would be malformed.</exception>
    public Task<ContainerRecord> UpdateAsync(
        string id, Func<ContainerRecord, ContainerRecord> change, CancellationToken cancellationToken) =>
        _db.CommitAsync(
            tx =>
            {
                var before = (tx.Get(StoreTables.Containers, _prefix + id) ?? throw Missing(id)).ToRecord(id);
                return Put(tx, change(before) with { Id = id, CreatedAt = before.CreatedAt, UpdatedAt = _time.GetUtcNow() });
            },
            cancellationToken);

    /// <summary>Forgets a container; its snapshot stays until it is removed or collected.</summary>
    /// <exception cref="ImageStoreException">There is none (<see cref="ErrorKind.NotFound"/>).</exception>
    public Task RemoveAsync(string id, CancellationToken cancellationToken) => _db.CommitAsync(
        tx =>
        {
            if (!tx.Delete(StoreTables.Containers, _prefix + id))
            {
                throw Missing(id);
            }
        },
        cancellationToken);

    /// <summary>The error for a container that is not there.</summary>
    public static ImageStoreException Missing(string id) =>
        new(ErrorKind.NotFound, $"There is no container {Printable.Of(id)} in this namespace.");

    private ContainerRecord Put(MetadataTransaction tx, ContainerRecord container)
    {
        Check(container);
        var row = ContainerRow.Of(container);
        tx.Put(StoreTables.Containers, _prefix + container.Id, row);
        return row.ToRecord(container.Id);
    }

    private static void Check(ContainerRecord container)
    {
        var why = container.Runtime.Length == 0 ? "it names no runtime"
            : container.Extensions.Any(one => one.Key.Length == 0 || one.Value.Type.Length == 0) ? "an extension has no name or no type"
            : container is { Snapshotter.Length: 0, SnapshotKey.Length: > 0 } ? "it has a snapshot and names no snapshotter"
            : null;
        if (why is not null)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, $"The container {container.Id} is malformed: {why}.");
        }
    }
}
