using ImageStore.Store;
using ImageStore.Store.Metadata;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>The rows of one snapshotter in one namespace.</summary>
internal sealed class SnapshotCatalogue(MetadataDb db, string ns, string snapshotter, TimeProvider time)
{
    private const long IdBlock = 32;
    private static readonly MetadataTable<SnapshotCounterRow> s_counters =
        new("snapshot-counters", SnapshotJson.Default.SnapshotCounterRow);

    /// <summary>The rows of all snapshotters; their keys are <c>namespace/snapshotter/name</c>.</summary>
    public static MetadataTable<SnapshotRow> Table { get; } = new("snapshots", SnapshotJson.Default.SnapshotRow, Weight);

    /// <summary>Bytes as far as they are known without a look at the files.</summary>
    public static long Weight(SnapshotRow row) => row.Bytes ?? row.LayerBytes ?? 0;

    private readonly string _prefix = $"{ns}/{snapshotter}/";
    private readonly Lock _idLock = new();
    private long _nextId;
    private long _idEnd;

    public static int Count(MetadataDb db, string ns, string snapshotter) => db.List(Table, $"{ns}/{snapshotter}/").Count;

    public string BootId { get; } = MachineBoot.Id;

    public DateTimeOffset Now => time.GetUtcNow();

    public SnapshotRow? Get(string name) => db.Get(Table, _prefix + name);

    public IReadOnlyList<KeyValuePair<string, SnapshotRow>> List() =>
        [.. db.List(Table, _prefix).Select(pair => KeyValuePair.Create(pair.Key[_prefix.Length..], pair.Value))];

    /// <summary>The directories in use by this kind of snapshotter in every namespace.</summary>
    public HashSet<long> AllIds() =>
        [.. db.List(Table, string.Empty)
            .Where(pair => pair.Key.Split('/', 3) is [_, var kind, _] && kind == snapshotter)
            .Select(pair => pair.Value.Id)];

    /// <summary>The directories that active snapshots and views of this kind stand on, in every namespace.</summary>
    public HashSet<long> IdsBelowActive()
    {
        var rows = db.List(Table, string.Empty).Where(pair => pair.Key.Split('/', 3)[1] == snapshotter)
            .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        HashSet<long> ids = [];
        foreach (var (key, row) in rows.Where(pair => pair.Value.Kind != SnapshotKind.Committed))
        {
            var prefix = key[..(key.IndexOf('/', key.IndexOf('/', StringComparison.Ordinal) + 1) + 1)];
            for (var next = row.Parent; next is not null && rows.TryGetValue(prefix + next, out var parent) && ids.Add(parent.Id); next = parent.Parent)
            {
            }
        }

        return ids;
    }

    public Task CommitAsync(Action<Rows> body, CancellationToken cancellationToken) =>
        db.CommitAsync(transaction => body(new Rows(transaction, _prefix)), cancellationToken);

    public Task<T> CommitAsync<T>(Func<Rows, T> body, CancellationToken cancellationToken) =>
        db.CommitAsync(transaction => body(new Rows(transaction, _prefix)), cancellationToken);

    /// <summary>Has the next numbers be above <paramref name="most"/>.</summary>
    public static Task ReserveAsync(MetadataDb db, string snapshotter, long most, CancellationToken cancellationToken) => db.CommitAsync(
        tx =>
        {
            if ((tx.Get(s_counters, snapshotter)?.Next ?? 1) <= most)
            {
                tx.Put(s_counters, snapshotter, new SnapshotCounterRow(most + 1));
            }
        },
        cancellationToken);

    /// <summary>A number that no directory has; numbers are reserved in blocks so that most cost no commit.</summary>
    public async Task<long> NewIdAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_idLock)
            {
                if (_nextId < _idEnd)
                {
                    return _nextId++;
                }
            }

            var first = await db.CommitAsync(
                transaction =>
                {
                    var next = transaction.Get(s_counters, snapshotter)?.Next ?? 1;
                    transaction.Put(s_counters, snapshotter, new SnapshotCounterRow(next + IdBlock));
                    return next;
                },
                cancellationToken).ConfigureAwait(false);
            lock (_idLock)
            {
                if (_nextId >= _idEnd)
                {
                    (_nextId, _idEnd) = (first, first + IdBlock);
                }
            }
        }
    }

    /// <summary>The snapshot's parents, nearest first, or null when one is absent or cannot be trusted.</summary>
    public IReadOnlyList<SnapshotRow>? Parents(SnapshotRow row)
    {
        var parents = new List<SnapshotRow>();
        for (var name = row.Parent; name is not null; name = parents[^1].Parent)
        {
            if (Get(name) is not { Kind: SnapshotKind.Committed } parent || !IsDurable(parent))
            {
                return null;
            }

            parents.Add(parent);
        }

        return parents;
    }

    /// <summary>Whether the machine has not gone down since the files were written, or they were flushed before.</summary>
    public bool IsDurable(SnapshotRow row) =>
        row.Kind != SnapshotKind.Committed || row.Synced || row.BootId == BootId;

    /// <summary>The rows inside one transaction.</summary>
    internal readonly struct Rows(MetadataTransaction transaction, string prefix)
    {
        public SnapshotRow? Get(string name) => transaction.Get(Table, prefix + name);

        public IReadOnlyList<KeyValuePair<string, SnapshotRow>> List()
        {
            var cut = prefix.Length;
            return [.. transaction.List(Table, prefix).Select(pair => KeyValuePair.Create(pair.Key[cut..], pair.Value))];
        }

        public void Put(string name, SnapshotRow row) => transaction.Put(Table, prefix + name, row);

        public void Delete(string name) => transaction.Delete(Table, prefix + name);
    }
}
