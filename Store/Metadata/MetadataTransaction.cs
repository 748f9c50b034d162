using System.Collections.Immutable;
using System.Text;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Metadata;

/// <summary>A change of the metadata in the making: it sees its own writes, and nobody else does before it is durable.</summary>
public sealed class MetadataTransaction : IMetadataReader
{
    private readonly MetadataDb _db;
    private readonly Dictionary<(string Table, string Key), byte[]?> _changes = [];

    internal MetadataTransaction(MetadataDb db, ImmutableDictionary<string, object> state) => (_db, State) = (db, state);

    internal ImmutableDictionary<string, object> State { get; private set; }

    internal IReadOnlyDictionary<(string Table, string Key), byte[]?> Changes => _changes;

    /// <summary>The row, or null.</summary>
    public T? Get<T>(MetadataTable<T> table, string key)
        where T : class => Rows(table).Get(key);

    /// <summary>The rows whose keys begin with <paramref name="keyPrefix"/>, in ordinal order.</summary>
    public IReadOnlyList<KeyValuePair<string, T>> List<T>(MetadataTable<T> table, string keyPrefix)
        where T : class => Rows(table).List(keyPrefix);

    /// <summary>Writes a row, new or in place of the one with this key.</summary>
    /// <exception cref="ImageStoreException">The key is empty or has more than <see cref="MetadataDb.MaxKeyBytes"/>
    /// bytes (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public void Put<T>(MetadataTable<T> table, string key, T value)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(key);
        if (key.Length == 0 || Encoding.UTF8.GetByteCount(key) > MetadataDb.MaxKeyBytes)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"The name '{Printable.Of(key)}' is empty or too long.",
                $"Names have at most {MetadataDb.MaxKeyBytes} bytes together with their namespace.");
        }

        if (!IsWellFormed(key))
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, $"The name '{Printable.Of(key)}' is not Unicode text.");
        }

        var bytes = table.Encode(value);
        if (bytes.Length > MetadataDb.MaxRowBytes)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded,
                $"'{Printable.Of(key)}' has {bytes.Length} bytes of metadata.",
                $"At most {MetadataDb.MaxRowBytes} bytes are kept: use fewer or shorter labels.");
        }

        State = State.SetItem(table.Name, Rows(table).Put(key, value));
        _changes[(table.Name, key)] = bytes;
    }

    /// <summary>Removes a row; false when there is none.</summary>
    public bool Delete<T>(MetadataTable<T> table, string key)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(table);
        var rows = Rows(table);
        if (rows.Get(key) is null)
        {
            return false;
        }

        State = State.SetItem(table.Name, rows.Remove(key));
        _changes[(table.Name, key)] = null;
        return true;
    }

    /// <summary>A lone surrogate would come back from disk as another key.</summary>
    private static bool IsWellFormed(string key)
    {
        for (var rest = key.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var used) != System.Buffers.OperationStatus.Done)
            {
                return false;
            }

            rest = rest[used..];
        }

        return true;
    }

    private TableRows<T> Rows<T>(MetadataTable<T> table)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(table);
        if (State.TryGetValue(table.Name, out var known))
        {
            return (TableRows<T>)known;
        }

        var loaded = _db.Load(table);
        State = State.SetItem(table.Name, loaded);
        return loaded;
    }
}
