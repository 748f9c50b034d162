using ImageStore.Store;

namespace ImageStore.Engine.Configuration;

/// <summary>A namespace, or all whose names begin alike.</summary>
public sealed record NamespacePattern
{
    private const char Any = '*';
    private readonly string _text;
    private readonly bool _isPrefix;

    private NamespacePattern(string text, bool isPrefix) => (_text, _isPrefix) = (text, isPrefix);

    /// <summary>The pattern that is written so, or null where it is none.</summary>
    public static NamespacePattern? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.EndsWith(Any))
        {
            return Identifier.IsOne(text) ? new NamespacePattern(text, isPrefix: false) : null;
        }

        // What begins a name need not end as one does.
        var prefix = text[..^1];
        return prefix.Length == 0 || Identifier.IsOne(prefix + "x") ? new NamespacePattern(prefix, isPrefix: true) : null;
    }

    /// <summary>Is the namespace of that name one of them?</summary>
    public bool Matches(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _isPrefix ? name.StartsWith(_text, StringComparison.Ordinal) : name == _text;
    }
}
