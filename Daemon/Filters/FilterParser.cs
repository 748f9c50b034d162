using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Filters;

/// <summary>Parses one filter: <c>field.path==value,other~=/pattern/,third</c>.</summary>
/// <remarks>
/// A name or value may stand in Go's quotes; a pattern also between slashes or bars. Fields, selectors and the text are
/// bounded, and the parser does not call itself.
/// </remarks>
internal ref struct FilterParser(string text)
{
    private const int MaxLength = 16 * 1024;
    private const int MaxSelectors = 256;
    private const int MaxFields = 64;

    private FilterScanner _scanner = new(text);

    /// <summary>The conditions, all of which have to hold.</summary>
    /// <exception cref="ImageStoreException">It is malformed (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public IReadOnlyList<Selector> Parse()
    {
        if (text.Length > MaxLength)
        {
            throw Malformed($"it has more than {MaxLength} characters");
        }

        List<Selector> selectors = [ParseSelector()];
        while (!_scanner.IsAtEnd)
        {
            if (_scanner.Peek != ',')
            {
                throw Malformed("a comma or its end is expected");
            }

            _scanner.Next(out _);
            if (selectors.Count == MaxSelectors)
            {
                throw Malformed($"it has more than {MaxSelectors} conditions");
            }

            selectors.Add(ParseSelector());
        }

        return selectors;
    }

    private Selector ParseSelector()
    {
        List<string> path = [ParseField()];
        while (_scanner.Peek == '.')
        {
            _scanner.Next(out _);
            if (path.Count == MaxFields)
            {
                throw Malformed($"a field's path has more than {MaxFields} names");
            }

            path.Add(ParseField());
        }

        if (_scanner.IsAtEnd || _scanner.Peek == ',')
        {
            return new Selector(path, Comparison.Present, string.Empty, null);
        }

        var comparison = ParseOperator();
        var value = ParseValue(comparison == Comparison.Matches);
        return new Selector(path, comparison, value, comparison == Comparison.Matches ? FilterPattern.Parse(value) : null);
    }

    private string ParseField() => _scanner.Next(out var token) switch
    {
        FilterToken.Field => token.ToString(),
        FilterToken.Quoted => Unquote(token, isPattern: false),
        _ => throw Malformed("a field's name is expected"),
    };

    private Comparison ParseOperator() => _scanner.Next(out var token) == FilterToken.Operator
        ? token switch
        {
            "==" => Comparison.Equal,
            "!=" => Comparison.NotEqual,
            "~=" => Comparison.Matches,
            _ => throw Malformed("the operators are ==, != and ~="),
        }
        : throw Malformed("an operator is expected: ==, != or ~=");

    private string ParseValue(bool isPattern) => _scanner.Next(out var token) switch
    {
        FilterToken.Value or FilterToken.Field => token.ToString(),
        FilterToken.Quoted => Unquote(token, isPattern),
        _ => throw Malformed("a value is expected"),
    };

    private readonly string Unquote(ReadOnlySpan<char> quoted, bool isPattern) =>
        isPattern || quoted[0] == '"'
            ? QuotedText.Read(quoted) ?? throw Malformed("its quotes are malformed")
            : throw Malformed("only patterns stand between slashes or bars");

    private readonly ImageStoreException Malformed(string why) => new(
        ErrorKind.InvalidArgument, $"The filter '{Printable.Of(text)}' is malformed at character {_scanner.Position + 1}: {why}.");
}
