using System.Collections;

namespace ImageStore.Store.Metadata;

/// <summary>What rows are to be, by table and key; the last word on a row counts.</summary>
internal sealed class MetadataChanges : IEnumerable<KeyValuePair<string, Dictionary<string, byte[]?>>>
{
    private readonly SortedDictionary<string, Dictionary<string, byte[]?>> _tables = new(StringComparer.Ordinal);

    public bool IsEmpty => _tables.Count == 0;

    /// <summary>Whether a row is removed.</summary>
    public bool HasRemovals => _tables.Values.Any(rows => rows.ContainsValue(null));

    /// <summary>Sets a row's bytes; null removes it.</summary>
    public void Set(string table, string key, byte[]? value) => Of(table)[key] = value;

    /// <summary>Adds changes that were made after these.</summary>
    public void Add(MetadataChanges later)
    {
        foreach (var (table, rows) in later)
        {
            if (_tables.TryAdd(table, rows))
            {
                continue;
            }

            var mine = _tables[table];
            foreach (var (key, value) in rows)
            {
                mine[key] = value;
            }
        }
    }

    public IEnumerator<KeyValuePair<string, Dictionary<string, byte[]?>>> GetEnumerator() => _tables.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private Dictionary<string, byte[]?> Of(string table) =>
        _tables.TryGetValue(table, out var rows) ? rows : _tables[table] = new(StringComparer.Ordinal);
}
