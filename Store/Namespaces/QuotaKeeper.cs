using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Store.Namespaces;

/// <summary>Keeps namespaces within their quotas: before something is begun, while it grows, and when it is committed.</summary>
/// <remarks>What is under way is reserved in memory, which suffices: one process writes a root. Commits count the rows once more,
/// within their transaction.</remarks>
public sealed class QuotaKeeper
{
    private readonly MetadataDb _db;
    private readonly BlobPaths _paths;
    private readonly ContentGuards _guards;
    private readonly IReadOnlyList<IResourceTable> _resources;
    private readonly Lock _gate = new();
    private bool _isUnlimited;
    private readonly Dictionary<string, long> _reserved = new(StringComparer.Ordinal);

    internal QuotaKeeper(MetadataDb db, BlobPaths paths, ContentGuards guards, IReadOnlyList<IResourceTable> resources) =>
        (_db, _paths, _guards, _resources) = (db, paths, guards, resources);

    /// <summary>One that has no limits.</summary>
    internal static QuotaKeeper Unlimited(MetadataDb db, BlobPaths paths, ContentGuards guards) =>
        new(db, paths, guards, []) { _isUnlimited = true };

    /// <summary>Bytes that the namespace holds: blobs, unfinished downloads and unpacked layers.</summary>
    public long BytesOf(string @namespace)
    {
        lock (_gate)
        {
            return Used(@namespace);
        }
    }

    /// <summary>Makes sure that <paramref name="bytes"/> more would fit, before anything of it is begun.</summary>
    /// <param name="namespace">Whose quota.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="what">What they are for, such as an image's name.</param>
    /// <exception cref="ImageStoreException">They would not (<see cref="ErrorKind.NoSpace"/>).</exception>
    public void Check(string @namespace, long bytes, string what)
    {
        if (LimitOf(@namespace) is { } limit)
        {
            lock (_gate)
            {
                Require(@namespace, limit, Used(@namespace) + bytes, what);
            }
        }
    }

    /// <summary>Sets <paramref name="bytes"/> aside for something that is about to come, until it is committed or given up.</summary>
    /// <exception cref="ImageStoreException">The quota does not have them (<see cref="ErrorKind.NoSpace"/>).</exception>
    public QuotaReservation Reserve(string @namespace, long bytes, string what)
    {
        var reservation = new QuotaReservation(this, @namespace, what);
        reservation.GrowTo(bytes);
        return reservation;
    }

    /// <summary>Makes sure that a transaction that has put something into a namespace leaves it within its quota.</summary>
    /// <exception cref="ImageStoreException">It does not (<see cref="ErrorKind.NoSpace"/>).</exception>
    public void CheckCommit(MetadataTransaction transaction, string @namespace, string what)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        if (!_isUnlimited && transaction.Get(StoreTables.Namespaces, @namespace)?.Quota?.Bytes is { } limit)
        {
            Require(@namespace, limit, RowBytes(transaction, @namespace), what);
        }
    }

    /// <summary>Makes sure that a transaction that has put an image into a namespace leaves it within its quota.</summary>
    /// <exception cref="ImageStoreException">It does not (<see cref="ErrorKind.NoSpace"/>).</exception>
    internal static void CheckImages(MetadataTransaction transaction, string @namespace, string name)
    {
        if (transaction.Get(StoreTables.Namespaces, @namespace)?.Quota?.Images is { } limit
            && transaction.Totals(StoreTables.Images, @namespace).Count > limit)
        {
            throw new ImageStoreException(
                ErrorKind.NoSpace,
                $"The namespace {@namespace} may have {limit} image{(limit == 1 ? string.Empty : "s")}, so there is no place for {Printable.Of(name)}.",
                $"Remove images, or raise the quota: 'imagestore namespaces quota {@namespace} --images N'.");
        }
    }

    internal void Change(QuotaReservation reservation, long from, long to)
    {
        var limit = to > from ? LimitOf(reservation.Namespace) : null;
        lock (_gate)
        {
            if (limit is { } most)
            {
                Require(reservation.Namespace, most, Used(reservation.Namespace) - from + to, reservation.What);
            }

            _reserved[reservation.Namespace] = _reserved.GetValueOrDefault(reservation.Namespace) - from + to;
        }
    }

    private long? LimitOf(string @namespace) => _isUnlimited ? null : _db.Get(StoreTables.Namespaces, @namespace)?.Quota?.Bytes;

    private long Used(string @namespace) =>
        RowBytes(_db, @namespace) + _reserved.GetValueOrDefault(@namespace) + LeftBytes(@namespace);

    private long RowBytes(IMetadataReader rows, string @namespace) => _resources.Sum(table => table.Bytes(rows, @namespace));

    /// <summary>What downloads have on disk that nobody goes on with at the moment.</summary>
    private long LeftBytes(string @namespace) => !Directory.Exists(_paths.Ingests)
        ? 0
        : Directory.EnumerateDirectories(_paths.Ingests)
            .Where(path => !_guards.IsEntered(path))
            .Sum(path => new IngestDirectory(path).Read(@namespace)?.Offset ?? 0);

    private static void Require(string @namespace, long limit, long total, string what)
    {
        if (total > limit)
        {
            throw new ImageStoreException(
                ErrorKind.NoSpace,
                $"The quota of the namespace {@namespace}, {ByteText.Of(limit)}, does not suffice for {Printable.Of(what)}: with it there would be {ByteText.Of(total)}.",
                $"Remove images ('imagestore du' shows what they take), or raise the quota: 'imagestore namespaces quota {@namespace} --bytes N'.");
        }
    }
}
