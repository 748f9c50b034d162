namespace ImageStore.Store.Resources;

/// <summary>Something that keeps other things, or is kept by them.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Namespace">Its namespace; nothing is kept from another one.</param>
/// <param name="Key">Its name there.</param>
public readonly record struct Resource(ResourceKind Kind, string Namespace, string Key)
{
    /// <summary>The key of its row: the namespace, a slash, and its own key.</summary>
    public string RowKey => $"{Namespace}/{Key}";

    /// <summary>The resource whose row has the key <paramref name="rowKey"/>.</summary>
    public static Resource OfRow(ResourceKind kind, string rowKey)
    {
        ArgumentNullException.ThrowIfNull(rowKey);
        var slash = rowKey.IndexOf('/', StringComparison.Ordinal);
        return new Resource(kind, rowKey[..slash], rowKey[(slash + 1)..]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind.ToString().ToLowerInvariant()} {Key}";
}
