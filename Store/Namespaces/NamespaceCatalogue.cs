using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Store.Namespaces;

/// <summary>The namespaces of a root; a namespace is a tenant.</summary>
public sealed class NamespaceCatalogue
{
    private readonly MetadataDb _db;
    private readonly IReadOnlyList<IResourceTable> _resources;
    private readonly Func<string, int> _ingests;
    private readonly TimeProvider _time;

    /// <param name="db">The database.</param>
    /// <param name="resources">All that is in a namespace and has rows.</param>
    /// <param name="ingests">How many unfinished downloads a namespace has: they have none.</param>
    /// <param name="time">The clock.</param>
    internal NamespaceCatalogue(
        MetadataDb db, IReadOnlyList<IResourceTable> resources, Func<string, int> ingests, TimeProvider time) =>
        (_db, _resources, _ingests, _time) = (db, resources, ingests, time);

    /// <summary>Takes away what a namespace that is gone had beside its rows.</summary>
    internal Action<string>? OnRemoved { get; init; }

    /// <summary>All of them, ordered by name.</summary>
    public IReadOnlyList<NamespaceRecord> List() =>
        [.. _db.List(StoreTables.Namespaces, string.Empty).Select(row => Record(row.Key, row.Value))];

    /// <summary>The namespace, or null.</summary>
    public NamespaceRecord? Find(string name) => _db.Get(StoreTables.Namespaces, name) is { } row ? Record(name, row) : null;

    /// <summary>Makes a namespace.</summary>
    /// <exception cref="ImageStoreException">The name or a label is malformed (<see cref="ErrorKind.InvalidArgument"/>), or the namespace is
    /// there (<see cref="ErrorKind.AlreadyExists"/>).</exception>
    public Task<NamespaceRecord> CreateAsync(
        string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        CreateAsync(name, labels, NamespaceQuota.None, cancellationToken);

    /// <summary>Makes a namespace with limits, so that nobody is in it before they are.</summary>
    /// <exception cref="ImageStoreException">As for one without, or a limit is negative (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public Task<NamespaceRecord> CreateAsync(
        string name, IReadOnlyDictionary<string, string> labels, NamespaceQuota quota, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(quota);
        NamespaceName.Check(name);
        RefuseNegative(quota.Bytes, quota.Images);
        return _db.CommitAsync(
            tx =>
            {
                if (tx.Get(StoreTables.Namespaces, name) is not null)
                {
                    throw new ImageStoreException(ErrorKind.AlreadyExists, $"The namespace {name} exists.");
                }

                var row = new NamespaceRow(_time.GetUtcNow(), Labels.Merge(Labels.None, labels)) { Quota = OrNull(quota) };
                return Put(tx, name, row);
            },
            cancellationToken);
    }

    /// <summary>Makes the namespace unless it is there.</summary>
    public async Task EnsureAsync(string name, CancellationToken cancellationToken)
    {
        NamespaceName.Check(name);
        if (_db.Get(StoreTables.Namespaces, name) is null)
        {
            await _db.CommitAsync(tx => Ensure(tx, name, _time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sets labels, and removes those whose value is empty.</summary>
    /// <exception cref="ImageStoreException">There is no such namespace (<see cref="ErrorKind.NotFound"/>).</exception>
    public Task<NamespaceRecord> SetLabelsAsync(
        string name, IReadOnlyDictionary<string, string> changes, CancellationToken cancellationToken) =>
        UpdateLabelsAsync(name, LabelUpdate.Set(changes), cancellationToken);

    /// <summary>Changes labels.</summary>
    /// <exception cref="ImageStoreException">There is no such namespace (<see cref="ErrorKind.NotFound"/>), or a label is malformed
    /// (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public Task<NamespaceRecord> UpdateLabelsAsync(string name, LabelUpdate labels, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return ChangeAsync(name, row => row with { Labels = labels.Apply(row.Labels) }, cancellationToken);
    }

    /// <summary>Sets the limits. What is above them already stays, and nothing is added to it.</summary>
    /// <exception cref="ImageStoreException">There is no such namespace (<see cref="ErrorKind.NotFound"/>), or a limit is negative
    /// (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public Task<NamespaceRecord> SetQuotaAsync(string name, NamespaceQuota quota, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(quota);
        return ChangeQuotaAsync(name, new QuotaChange(true, quota.Bytes, true, quota.Images), cancellationToken);
    }

    /// <summary>Changes the limits, or shows them where nothing is to be changed.</summary>
    /// <exception cref="ImageStoreException">As with <see cref="SetQuotaAsync"/>.</exception>
    public Task<NamespaceRecord> ChangeQuotaAsync(string name, QuotaChange change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        RefuseNegative(change.Bytes, change.Images);
        return change.IsNone
            ? Task.FromResult(Find(name) ?? throw Missing(name))
            : ChangeAsync(name, row => row with { Quota = OrNull(change.Apply(row.Quota ?? NamespaceQuota.None)) }, cancellationToken);
    }

    /// <summary>Forgets a namespace that has nothing.</summary>
    /// <exception cref="ImageStoreException">There is no such namespace (<see cref="ErrorKind.NotFound"/>), or something is left in it
    /// (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        await ForgetAsync(name, cancellationToken).ConfigureAwait(false);
        OnRemoved?.Invoke(name);
    }

    private Task ForgetAsync(string name, CancellationToken cancellationToken) => _db.CommitAsync(
        tx =>
        {
            _ = Require(tx, name);
            var left = _resources.Select(table => (table.Kind, Count: table.Count(tx, name))).Where(table => table.Count > 0).ToList();
            var ingests = _ingests(name);
            if (left.Count > 0 || ingests > 0)
            {
                var words = left.Select(Words).Concat(ingests > 0 ? [$"{ingests} unfinished download{(ingests == 1 ? string.Empty : "s")}"] : []);
                throw new ImageStoreException(
                    ErrorKind.FailedPrecondition,
                    $"The namespace {name} is not empty: it has {string.Join(", ", words)}.",
                    "Remove them first, or add --purge to remove all of it.");
            }

            tx.Delete(StoreTables.Namespaces, name);
        },
        cancellationToken);

    /// <summary>The error for a namespace that is not there.</summary>
    public static ImageStoreException Missing(string name) =>
        new(ErrorKind.NotFound, $"There is no namespace {Printable.Of(name)}.", "'imagestore namespaces ls' shows what is there.");

    /// <summary>Makes the namespace within a transaction that puts something into it, unless it is there.</summary>
    internal static void Ensure(MetadataTransaction tx, string name, DateTimeOffset now)
    {
        if (tx.Get(StoreTables.Namespaces, name) is null)
        {
            tx.Put(StoreTables.Namespaces, name, new NamespaceRow(now, []));
        }
    }

    private static NamespaceQuota? OrNull(NamespaceQuota quota) => quota == NamespaceQuota.None ? null : quota;

    private static void RefuseNegative(long? bytes, int? images)
    {
        if (bytes < 0 || images < 0)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "A quota is negative.", "Use 0 or more, or none.");
        }
    }

    private static string Words((ResourceKind Kind, int Count) table) => table switch
    {
        (ResourceKind.Content, var count) => $"{count} blob{(count == 1 ? string.Empty : "s")}",
        var (kind, count) => $"{count} {kind.ToString().ToLowerInvariant()}{(count == 1 ? string.Empty : "s")}",
    };

    private Task<NamespaceRecord> ChangeAsync(string name, Func<NamespaceRow, NamespaceRow> change, CancellationToken cancellationToken) =>
        _db.CommitAsync(tx => Put(tx, name, change(Require(tx, name))), cancellationToken);

    private static NamespaceRow Require(MetadataTransaction tx, string name) =>
        tx.Get(StoreTables.Namespaces, name) ?? throw Missing(name);

    private static NamespaceRecord Put(MetadataTransaction tx, string name, NamespaceRow row)
    {
        tx.Put(StoreTables.Namespaces, name, row);
        return Record(name, row);
    }

    private static NamespaceRecord Record(string name, NamespaceRow row) =>
        new(name, row.CreatedAt, row.Labels, row.Quota ?? NamespaceQuota.None);
}
