using System.Collections.Immutable;
using System.Text;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Metadata;

/// <summary>A change of the metadata in the making: it sees its own writes, and nobody else does before it is durable.</summary>
public sealed class MetadataTransaction : IMetadataReader
{
    private readonly MetadataDb _db;
    private readonly Dictionary<string, (object Draft, Func<object> Seal)> _drafts = new(StringComparer.Ordinal);

    internal MetadataTransaction(MetadataDb db, ImmutableDictionary<string, object> state) => (_db, State) = (db, state);

    /// <summary>The tables as they were before, with those that were read first by this transaction.</summary>
    internal ImmutableDictionary<string, object> State { get; private set; }

    /// <summary>What was changed, by table.</summary>
    internal MetadataChanges Changes { get; } = [];

    /// <summary>Has the watch take no note of it: the collector knows what it removes.</summary>
    internal bool IsUnwatched { get; set; }

    /// <inheritdoc/>
    public T? Get<T>(MetadataTable<T> table, string key)
        where T : class => Draft(table) is { } draft ? draft.Get(key) : Rows(table).Get(key);

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, T>> List<T>(MetadataTable<T> table, string keyPrefix)
        where T : class => Draft(table) is { } draft ? draft.List(keyPrefix) : Rows(table).List(keyPrefix);

    /// <inheritdoc/>
    public RowTotals Totals<T>(MetadataTable<T> table, string @namespace)
        where T : class => Draft(table) is { } draft ? draft.Totals(@namespace) : Rows(table).Totals(@namespace);

    /// <inheritdoc/>
    public IReadOnlyList<string> NamespacesOf<T>(MetadataTable<T> table)
        where T : class => Draft(table) is { } draft ? draft.Namespaces : Rows(table).Namespaces;

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

        Edit(table).Put(key, value);
        Changes.Set(table.Name, key, bytes);
    }

    /// <summary>Removes a row; false when there is none.</summary>
    public bool Delete<T>(MetadataTable<T> table, string key)
        where T : class
    {
        if (!Edit(table).Remove(key))
        {
            return false;
        }

        Changes.Set(table.Name, key, null);
        return true;
    }

    /// <summary>The tables as they are after it.</summary>
    internal ImmutableDictionary<string, object> Seal() =>
        State.SetItems(_drafts.Select(draft => KeyValuePair.Create(draft.Key, draft.Value.Seal())));

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

    private TableRows<T>.Draft? Draft<T>(MetadataTable<T> table)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(table);
        return _drafts.TryGetValue(table.Name, out var known) ? (TableRows<T>.Draft)known.Draft : null;
    }

    private TableRows<T>.Draft Edit<T>(MetadataTable<T> table)
        where T : class
    {
        if (Draft(table) is { } known)
        {
            return known;
        }

        var draft = new TableRows<T>.Draft(table, Rows(table));
        _drafts[table.Name] = (draft, draft.Seal);
        return draft;
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
