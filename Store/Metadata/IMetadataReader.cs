namespace ImageStore.Store.Metadata;

/// <summary>Rows to read: those of one moment, or those that a transaction sees.</summary>
public interface IMetadataReader
{
    /// <summary>The row, or null.</summary>
    T? Get<T>(MetadataTable<T> table, string key)
        where T : class;

    /// <summary>The rows whose keys begin with <paramref name="keyPrefix"/>, in ordinal order.</summary>
    IReadOnlyList<KeyValuePair<string, T>> List<T>(MetadataTable<T> table, string keyPrefix)
        where T : class;

    /// <summary>What the rows of a namespace add up to.</summary>
    RowTotals Totals<T>(MetadataTable<T> table, string @namespace)
        where T : class;

    /// <summary>The namespaces that have rows in the table, whether they are listed or not.</summary>
    IReadOnlyList<string> NamespacesOf<T>(MetadataTable<T> table)
        where T : class;
}
