using System.Collections.Immutable;

namespace ImageStore.Store.Metadata;

/// <summary>All rows as they were at one moment. It costs nothing to hold, and keeps nobody from writing.</summary>
internal sealed class MetadataView(MetadataDb db, ImmutableDictionary<string, object> state) : IMetadataReader
{
    public T? Get<T>(MetadataTable<T> table, string key)
        where T : class => Rows(table).Get(key);

    public IReadOnlyList<KeyValuePair<string, T>> List<T>(MetadataTable<T> table, string keyPrefix)
        where T : class => Rows(table).List(keyPrefix);

    public RowTotals Totals<T>(MetadataTable<T> table, string @namespace)
        where T : class => Rows(table).Totals(@namespace);

    public IReadOnlyList<string> NamespacesOf<T>(MetadataTable<T> table)
        where T : class => Rows(table).Namespaces;

    // A table that nobody had used yet is read from disk now; whoever changes it first is noted by the watch.
    private TableRows<T> Rows<T>(MetadataTable<T> table)
        where T : class => state.TryGetValue(table.Name, out var rows) ? (TableRows<T>)rows : db.Rows(table);
}
