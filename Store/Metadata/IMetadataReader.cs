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
}
