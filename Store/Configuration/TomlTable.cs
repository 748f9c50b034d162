using ImageStore.Store.Errors;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace ImageStore.Store.Configuration;

/// <summary>A TOML table whose every value knows its line, so that a complaint can name it.</summary>
public sealed class TomlTable
{
    private readonly string _file;
    private readonly OrderedDictionary<string, TomlItem> _items = new(StringComparer.Ordinal);

    private TomlTable(string file, int line) => (_file, Line) = (file, line);

    /// <summary>Where it begins, from 1.</summary>
    public int Line { get; }

    /// <summary>What is in it, in its order.</summary>
    public IEnumerable<KeyValuePair<string, TomlItem>> Items => _items;

    /// <summary>The value of a key, or null.</summary>
    public TomlItem? Find(string key) => _items.GetValueOrDefault(key);

    /// <summary>Refuses keys that nobody reads: a slip in one must not pass for its absence.</summary>
    /// <exception cref="ImageStoreException">There is one (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public void Allow(Func<string, bool> known)
    {
        ArgumentNullException.ThrowIfNull(known);
        foreach (var (key, item) in Items)
        {
            if (!known(key))
            {
                throw item.Complaint($"'{Printable.Of(key)}' is not known");
            }
        }
    }

    /// <summary>Parses a whole file.</summary>
    /// <exception cref="ImageStoreException">It is malformed: the message names file and line.</exception>
    public static TomlTable Parse(string text, string file)
    {
        var document = Syntax(text, file);
        if (document.HasErrors)
        {
            var first = document.Diagnostics.First(message => message.Kind == DiagnosticMessageKind.Error);
            throw Complaint(file, first.Span.Start.Line + 1, Printable.Of(first.Message));
        }

        var root = new TomlTable(file, 1);
        root.Add(document.KeyValues);
        foreach (var table in document.Tables)
        {
            var (path, line) = (Path(table.Name!), LineOf(table));
            var place = table is TableArraySyntax ? root.Descend(path[..^1], line).Append(path[^1], line) : root.Descend(path, line);
            place.Add(table.Items);
        }

        return root;
    }

    private static DocumentSyntax Syntax(string text, string file)
    {
        try
        {
            return SyntaxParser.Parse(text, file, true);
        }
        catch (Exception failure)
        {
            // The library gathers mistakes, but throws at a few, such as a bad escape before half a surrogate pair.
            throw Complaint(file, 1, $"the file cannot be read as TOML ({Printable.Of(failure.Message)})");
        }
    }

    /// <summary>The error for a mistake in <paramref name="file"/>.</summary>
    public static ImageStoreException Complaint(string file, int line, string why) => new(
        ErrorKind.FailedPrecondition,
        $"{Printable.Of(file)}, line {line}: {why}.",
        "Correct the file: nothing is done before.");

    private void Add(IEnumerable<KeyValueSyntax> pairs)
    {
        foreach (var pair in pairs)
        {
            var path = Path(pair.Key!);
            var owner = Descend(path[..^1], LineOf(pair));
            if (!owner._items.TryAdd(path[^1], new TomlItem(_file, LineOf(pair), owner.Value(pair.Value!))))
            {
                throw Complaint(_file, LineOf(pair), $"'{Printable.Of(path[^1])}' is there twice");
            }
        }
    }

    private TomlTable Descend(IReadOnlyList<string> path, int at)
    {
        var table = this;
        foreach (var key in path)
        {
            if (!table._items.TryGetValue(key, out var item))
            {
                table._items[key] = item = new TomlItem(_file, at, new TomlTable(_file, at));
            }

            table = item.Value as TomlTable ?? throw Complaint(_file, at, $"'{Printable.Of(key)}' is a value and a table");
        }

        return table;
    }

    private TomlTable Append(string key, int at)
    {
        if (!_items.TryGetValue(key, out var item))
        {
            _items[key] = item = new TomlItem(_file, at, new TableArray());
        }

        var tables = item.Value as TableArray ?? throw Complaint(_file, at, $"'{Printable.Of(key)}' is something else already");
        var table = new TomlTable(_file, at);
        tables.Add(new TomlItem(_file, at, table));
        return table;
    }

    private object Value(ValueSyntax value)
    {
        switch (value)
        {
            case StringValueSyntax text:
                return text.Value ?? string.Empty;
            case BooleanValueSyntax truth:
                return truth.Value;
            case IntegerValueSyntax number:
                return number.Value;
            case FloatValueSyntax fraction:
                return fraction.Value;
            case ArraySyntax array:
                return array.Items.Select(item => new TomlItem(_file, LineOf(item), Value(item.Value!))).ToList();
            case InlineTableSyntax inline:
                var table = new TomlTable(_file, LineOf(inline));
                table.Add(inline.Items.Select(item => item.KeyValue!));
                return table;
            default:
                throw Complaint(_file, LineOf(value), "dates are not used here");
        }
    }

    private static List<string> Path(KeySyntax key) => [Word(key.Key!), .. key.DotKeys.Select(part => Word(part.Key!))];

    private static string Word(BareKeyOrStringValueSyntax key) => key switch
    {
        BareKeySyntax bare => bare.Key!.Text ?? string.Empty,
        StringValueSyntax text => text.Value ?? string.Empty,
        _ => key.ToString(),
    };

    private static int LineOf(SyntaxNode node) => node.Span.Start.Line + 1;

    /// <summary>The tables that are each written as <c>[[key]]</c>: more may come, which a list that was written as one does not take.</summary>
    private sealed class TableArray : List<TomlItem>;
}

/// <summary>A value and where it stands.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Value">A string, bool, long, double, list of items or table.</param>
public sealed record TomlItem(string File, int Line, object Value)
{
    /// <summary>A string.</summary>
    public string Text => Value as string ?? throw Wrong("a string");

    /// <summary>True or false.</summary>
    public bool Truth => Value is bool truth ? truth : throw Wrong("true or false");

    /// <summary>A whole number.</summary>
    public long Number => Value is long number ? number : throw Wrong("a whole number");

    /// <summary>A number, with or without a fraction.</summary>
    public double Fraction => Value switch { double fraction => fraction, long number => number, _ => throw Wrong("a number") };

    /// <summary>A table.</summary>
    public TomlTable Table => Value as TomlTable ?? throw Wrong("a table");

    /// <summary>A list.</summary>
    public IReadOnlyList<TomlItem> List => Value as List<TomlItem> ?? throw Wrong("a list");

    /// <summary>Is it a list?</summary>
    public bool IsList => Value is List<TomlItem>;

    /// <summary>Is it a string?</summary>
    public bool IsText => Value is string;

    /// <summary>A string, or a list of strings.</summary>
    public IReadOnlyList<string> Texts => IsText ? [Text] : [.. List.Select(item => item.Text)];

    /// <summary>The error for a value that cannot be.</summary>
    public ImageStoreException Complaint(string why) => TomlTable.Complaint(File, Line, why);

    private ImageStoreException Wrong(string wanted) => Complaint($"{wanted} is expected here");
}
