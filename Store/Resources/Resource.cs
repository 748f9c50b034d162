using System.Text.Json.Serialization;

namespace ImageStore.Store.Resources;

/// <summary>Something that keeps other things, or is kept by them.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="RowKey">The key of its row: the namespace, a slash, and its own key.</param>
public readonly record struct Resource(ResourceKind Kind, [property: JsonIgnore] string RowKey)
{
    /// <summary>The resource <paramref name="key"/> of <paramref name="namespace"/>.</summary>
    public Resource(ResourceKind kind, ReadOnlySpan<char> @namespace, ReadOnlySpan<char> key)
        : this(kind, $"{@namespace}/{key}")
    {
    }

    /// <summary>Its namespace; nothing is kept from another one.</summary>
    public string Namespace => RowKey[..Slash];

    /// <summary>Its name there.</summary>
    public string Key => RowKey[(Slash + 1)..];

    private int Slash => RowKey.IndexOf('/', StringComparison.Ordinal);

    /// <summary>The resource <paramref name="key"/> of the same namespace.</summary>
    public Resource Beside(ResourceKind kind, ReadOnlySpan<char> key) => new(kind, RowKey.AsSpan(0, Slash), key);

    /// <inheritdoc/>
    public override string ToString() => $"{Kind.ToString().ToLowerInvariant()} {Key}";
}
