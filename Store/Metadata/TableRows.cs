using System.Collections.Immutable;

namespace ImageStore.Store.Metadata;

/// <summary>The rows of a table at one moment, ordered by key; a change makes a new one that shares most of the old.</summary>
internal sealed class TableRows<T>
    where T : class
{
    private readonly ImmutableSortedSet<KeyValuePair<string, T?>> _rows;

    private TableRows(ImmutableSortedSet<KeyValuePair<string, T?>> rows) => _rows = rows;

    public static TableRows<T> Of(IEnumerable<KeyValuePair<string, T>> rows) =>
        new(rows.Select(row => KeyValuePair.Create(row.Key, (T?)row.Value)).ToImmutableSortedSet(ByKey.Instance));

    public T? Get(string key) => _rows.TryGetValue(Probe(key), out var found) ? found.Value : null;

    public IReadOnlyList<KeyValuePair<string, T>> List(string prefix)
    {
        var start = _rows.IndexOf(Probe(prefix));
        List<KeyValuePair<string, T>> found = [];
        for (var i = start < 0 ? ~start : start; i < _rows.Count; i++)
        {
            var row = _rows[i];
            if (!row.Key.StartsWith(prefix, StringComparison.Ordinal))
            {
                break;
            }

            found.Add(row!);
        }

        return found;
    }

    public TableRows<T> Put(string key, T row) => new(_rows.Remove(Probe(key)).Add(KeyValuePair.Create(key, (T?)row)));

    public TableRows<T> Remove(string key) => new(_rows.Remove(Probe(key)));

    private static KeyValuePair<string, T?> Probe(string key) => KeyValuePair.Create(key, (T?)null);

    private sealed class ByKey : IComparer<KeyValuePair<string, T?>>
    {
        public static ByKey Instance { get; } = new();

        public int Compare(KeyValuePair<string, T?> x, KeyValuePair<string, T?> y) => string.CompareOrdinal(x.Key, y.Key);
    }
}
