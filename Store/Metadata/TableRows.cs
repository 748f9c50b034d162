namespace ImageStore.Store.Metadata;

/// <summary>The rows of a table at one moment, and what those of each namespace add up to.</summary>
internal sealed class TableRows<T>
    where T : class
{
    private readonly SortedRows<T> _rows;
    private readonly Dictionary<string, RowTotals> _totals;

    private TableRows(SortedRows<T> rows, Dictionary<string, RowTotals> totals) => (_rows, _totals) = (rows, totals);

    public static TableRows<T> Of(MetadataTable<T> table, IEnumerable<KeyValuePair<string, T>> rows)
    {
        var draft = new Draft(table, new TableRows<T>(SortedRows<T>.Empty, []));
        foreach (var (key, value) in rows)
        {
            draft.Put(key, value);
        }

        return draft.Seal();
    }

    public T? Get(string key) => _rows.TryGet(key, out var row) ? row : null;

    public List<KeyValuePair<string, T>> List(string prefix) => _rows.WithPrefix(prefix);

    public RowTotals Totals(string @namespace) => _totals.GetValueOrDefault(@namespace);

    public IReadOnlyList<string> Namespaces => Named(_totals);

    private static List<string> Named(Dictionary<string, RowTotals> totals) =>
        [.. totals.Where(ns => ns.Value.Count > 0).Select(ns => ns.Key).Order(StringComparer.Ordinal)];

    /// <summary>The table as a transaction changes it.</summary>
    public sealed class Draft(MetadataTable<T> table, TableRows<T> rows)
    {
        private readonly SortedRows<T>.Draft _rows = rows._rows.Edit();
        private readonly Dictionary<string, RowTotals> _totals = new(rows._totals, StringComparer.Ordinal);

        public T? Get(string key) => _rows.TryGet(key, out var row) ? row : null;

        public List<KeyValuePair<string, T>> List(string prefix) => _rows.WithPrefix(prefix);

        public RowTotals Totals(string @namespace) => _totals.GetValueOrDefault(@namespace);

        public IReadOnlyList<string> Namespaces => Named(_totals);

        public void Put(string key, T row)
        {
            var before = _rows.Put(key, row);
            Count(key, before is null ? 1 : 0, table.WeightOf(row) - (before is null ? 0 : table.WeightOf(before)));
        }

        /// <summary>False when there is none.</summary>
        public bool Remove(string key)
        {
            if (_rows.Remove(key) is not { } before)
            {
                return false;
            }

            Count(key, -1, -table.WeightOf(before));
            return true;
        }

        public TableRows<T> Seal() => new(_rows.Seal(), _totals);

        private void Count(string key, int rows, long weight)
        {
            var slash = key.IndexOf('/', StringComparison.Ordinal);
            if (slash > 0)
            {
                var totals = _totals.GetAlternateLookup<ReadOnlySpan<char>>();
                var ns = key.AsSpan(0, slash);
                _ = totals.TryGetValue(ns, out var known);
                totals[ns] = new RowTotals(known.Count + rows, known.Weight + weight);
            }
        }
    }
}
