using System.Diagnostics.CodeAnalysis;
using LiteDB;
using LiteDB.Engine;

namespace ImageStore.Store.Metadata;

/// <summary>What was committed and is not yet in the leaves of its table: a commit costs one document, however many rows it changes.</summary>
/// <remarks>
/// A document holds few enough rows that moving them into leaves keeps nobody waiting for long. The changes that count are
/// in memory too, the last one of each row.
/// </remarks>
internal sealed class RowJournal
{
    private const string Collection = "journal";
    private const int MaxRows = 128;
    private const int MaxBytes = 64 << 10;

    private readonly List<Entry> _entries = [];
    private readonly Dictionary<string, SortedRows<ReadOnlyMemory<byte>?>.Draft> _pending = new(StringComparer.Ordinal);
    private long _next = 1;

    /// <summary>Bytes of rows in documents that are not in leaves.</summary>
    public long Bytes { get; private set; }

    /// <summary>The tables that changes are of.</summary>
    public IEnumerable<string> Tables => _pending.Keys;

    public static RowJournal Load(LiteEngine engine)
    {
        var journal = new RowJournal();
        using var documents = engine.Query(Collection, new Query());
        while (documents.Read())
        {
            // Their index is ordered by number, and so they come.
            var (id, blocks) = RowDocument.Decode(Collection, documents.Current.AsDocument);
            journal.Take(id, [.. blocks.SelectMany(block => RowBlock.Decode(block.Value).Select(row => (block.Key, row)))]);
        }

        return journal;
    }

    /// <summary>Adds documents with <paramref name="changes"/>, within the transaction of the caller.</summary>
    public void Append(LiteEngine engine, MetadataChanges changes)
    {
        List<BsonDocument> documents = [];
        List<(string Table, RowChange Row)> rows = [];
        var bytes = 0;
        foreach (var (table, key, value) in changes.SelectMany(table =>
            table.Value.OrderBy(row => row.Key, StringComparer.Ordinal).Select(row => (table.Key, row.Key, row.Value))))
        {
            rows.Add((table, value is null ? RowChange.Gone(key) : new RowChange(key, value)));
            bytes += key.Length + (value?.Length ?? 0);
            if (rows.Count == MaxRows || bytes >= MaxBytes)
            {
                Close();
            }
        }

        if (rows.Count > 0)
        {
            Close();
        }

        engine.Insert(Collection, documents, BsonAutoId.Int64);

        void Close()
        {
            documents.Add(RowDocument.Encode(
                Collection,
                _next,
                [.. rows.GroupBy(row => row.Table, row => row.Row).Select(group => KeyValuePair.Create(group.Key, RowBlock.Encode(group)))]));
            Take(_next, rows);
            (rows, bytes) = ([], 0);
        }
    }

    /// <summary>A document; 0 is the oldest.</summary>
    public bool TryPeek(int index, [NotNullWhen(true)] out Entry? entry)
    {
        entry = index < _entries.Count ? _entries[index] : null;
        return entry is not null;
    }

    /// <summary>Whether the last change of a row is not in its leaf.</summary>
    public bool IsPending(string table, string key) => _pending.TryGetValue(table, out var rows) && rows.TryGet(key, out _);

    /// <summary>The last changes of rows from <paramref name="lower"/> on and before <paramref name="upper"/>, ordered; null has no bound.</summary>
    public IReadOnlyList<RowChange> Pending(string table, string? lower = null, string? upper = null) =>
        _pending.TryGetValue(table, out var rows)
            ? [.. rows.Between(lower, upper).Select(row => new RowChange(row.Key, row.Value))]
            : [];

    /// <summary>Forgets changes that are in their leaf now.</summary>
    public void Folded(string table, IReadOnlyList<RowChange> changes)
    {
        foreach (var change in changes)
        {
            _pending[table].Remove(change.Key);
        }
    }

    /// <summary>Deletes the oldest <paramref name="count"/> documents, of which nothing is pending, within the transaction of the caller.</summary>
    public void Forget(LiteEngine engine, int count)
    {
        var gone = _entries[..count];
        _entries.RemoveRange(0, count);
        Bytes -= gone.Sum(entry => entry.Bytes);
        engine.Delete(Collection, gone.Select(entry => new BsonValue(entry.Id)));
    }

    private void Take(long id, IReadOnlyList<(string Table, RowChange Row)> rows)
    {
        foreach (var (table, row) in rows)
        {
            if (!_pending.TryGetValue(table, out var pending))
            {
                pending = _pending[table] = SortedRows<ReadOnlyMemory<byte>?>.Empty.Edit();
            }

            pending.Put(row.Key, row.Value);
        }

        var bytes = rows.Sum(row => (long)row.Row.Key.Length + (row.Row.Value?.Length ?? 0));
        _entries.Add(new Entry(id, [.. rows.Select(row => (row.Table, row.Row.Key))], bytes));
        (_next, Bytes) = (id + 1, Bytes + bytes);
    }

    /// <summary>A document of the journal.</summary>
    internal sealed record Entry(long Id, IReadOnlyList<(string Table, string Key)> Rows, long Bytes);
}
