namespace ImageStore.Store.Metadata;

/// <summary>What a row is now, in its encoded form.</summary>
/// <param name="Key">The row's key in its table.</param>
/// <param name="Value">Its bytes; null when it is gone.</param>
internal readonly record struct RowChange(string Key, ReadOnlyMemory<byte>? Value)
{
    /// <summary>That the row is gone. (A null array would turn into memory that is empty, not into none.)</summary>
    public static RowChange Gone(string key) => new(key, default(ReadOnlyMemory<byte>?));
}
