using LiteDB;
using LiteDB.Engine;

namespace ImageStore.Store.Metadata;

/// <summary>A table on disk: documents of neighbouring rows, so that a table costs a page for dozens of them and not several for each.</summary>
internal sealed class RowLeaves
{
    private const string Prefix = "l_";
    private const int MaxBytes = 24 << 10;
    private const int FillBytes = MaxBytes * 2 / 3;
    private const int SparseBytes = MaxBytes / 4;
    private const int RowOverhead = 4;

    private readonly string _collection;
    private readonly List<Leaf> _leaves = [];
    private long _next = 1;

    private RowLeaves(string table) => _collection = CollectionOf(table);

    /// <summary>The tables that have leaves, or had.</summary>
    public static IEnumerable<string> Tables(LiteEngine engine)
    {
        List<string> names = [];
        using var collections = engine.Query("$cols", new Query());
        while (collections.Read())
        {
            if (collections.Current["name"].AsString is { } name && name.StartsWith(Prefix, StringComparison.Ordinal))
            {
                names.Add(name[Prefix.Length..].Replace('$', '-'));
            }
        }

        return names;
    }

    /// <summary>Reads a table.</summary>
    /// <returns>Where its rows are, and the rows, ordered.</returns>
    public static (RowLeaves Leaves, List<RowChange> Rows) Load(LiteEngine engine, string table)
    {
        var result = new RowLeaves(table);
        List<(Leaf Leaf, List<RowChange> Rows)> found = [];
        using (var documents = engine.Query(result._collection, new Query()))
        {
            while (documents.Read())
            {
                var (id, rows) = Decode(result._collection, documents.Current.AsDocument);
                found.Add((new Leaf(rows[0].Key, id), rows));
                result._next = Math.Max(result._next, id + 1);
            }
        }

        found.Sort(static (x, y) => string.CompareOrdinal(x.Leaf.First, y.Leaf.First));
        result._leaves.AddRange(found.Select(leaf => leaf.Leaf));
        return (result, [.. found.SelectMany(leaf => leaf.Rows)]);
    }

    /// <summary>Writes the leaf that <paramref name="key"/> belongs to with all that has changed in it, within the transaction of the caller.</summary>
    public void Fold(LiteEngine engine, RowJournal journal, string table, string key)
    {
        var at = Math.Max(0, IndexOf(key));
        var upper = at + 1 < _leaves.Count ? _leaves[at + 1].First : null;
        var changes = journal.Pending(table, at == 0 ? null : _leaves[at].First, upper);
        var rows = RowMerge.Apply(_leaves.Count == 0 ? [] : Read(engine, at), changes);
        var count = _leaves.Count == 0 ? 0 : 1;
        if (rows.Sum(SizeOf) < SparseBytes && _leaves.Count > 1)
        {
            // Few rows go together with their neighbours', or a table that shrinks would keep all its leaves.
            at = upper is null ? at - 1 : at;
            var other = Read(engine, upper is null ? at : at + 1);
            rows = upper is null ? [.. other, .. rows] : [.. rows, .. other];
            count = 2;
        }

        Write(engine, at, count, rows);
        journal.Folded(table, changes);
    }

    // A dash, which LiteDB's names cannot have, is a dollar in them.
    private static string CollectionOf(string table) => Prefix + table.Replace('-', '$');

    private static int SizeOf(RowChange row) => row.Key.Length + row.Value!.Value.Length + RowOverhead;

    private static (long Id, List<RowChange> Rows) Decode(string collection, BsonDocument document)
    {
        var (id, blocks) = RowDocument.Decode(collection, document);
        return (id, RowBlock.Decode(blocks[0].Value));
    }

    /// <summary>The leaf whose rows <paramref name="key"/> stands among; -1 before the first.</summary>
    private int IndexOf(string key)
    {
        var (low, high) = (0, _leaves.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = string.CompareOrdinal(_leaves[middle].First, key) <= 0 ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    private List<RowChange> Read(LiteEngine engine, int at)
    {
        var query = new Query();
        query.Where.Add(BsonExpression.Create("_id = @0", new BsonValue(_leaves[at].Id)));
        using var documents = engine.Query(_collection, query);
        return documents.Read()
            ? Decode(_collection, documents.Current.AsDocument).Rows
            : throw new InvalidDataException($"The document {_leaves[at].Id} of {_collection} is gone.");
    }

    /// <summary>Puts <paramref name="rows"/> in place of <paramref name="count"/> leaves.</summary>
    private void Write(LiteEngine engine, int at, int count, List<RowChange> rows)
    {
        var ids = new Queue<long>(_leaves.GetRange(at, count).Select(leaf => leaf.Id));
        _leaves.RemoveRange(at, count);
        List<BsonDocument> documents = [];
        foreach (var part in Parts(rows))
        {
            var id = ids.TryDequeue(out var known) ? known : _next++;
            documents.Add(RowDocument.Encode(_collection, id, [KeyValuePair.Create("rows", RowBlock.Encode(part))]));
            _leaves.Insert(at++, new Leaf(part[0].Key, id));
        }

        engine.Upsert(_collection, documents, BsonAutoId.Int64);
        engine.Delete(_collection, ids.Select(id => new BsonValue(id)));
    }

    private static IEnumerable<List<RowChange>> Parts(List<RowChange> rows)
    {
        var limit = rows.Sum(SizeOf) > MaxBytes ? FillBytes : MaxBytes;
        List<RowChange> part = [];
        var bytes = 0;
        foreach (var row in rows)
        {
            if (part.Count > 0 && bytes + SizeOf(row) > limit)
            {
                yield return part;
                (part, bytes) = ([], 0);
            }

            part.Add(row);
            bytes += SizeOf(row);
        }

        if (part.Count > 0)
        {
            yield return part;
        }
    }

    /// <summary>A document and the key that it began with when it was read or written.</summary>
    private readonly record struct Leaf(string First, long Id);
}
