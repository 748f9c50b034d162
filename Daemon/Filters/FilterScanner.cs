using System.Globalization;

namespace ImageStore.Daemon.Filters;

/// <summary>Cuts a filter into tokens, as containerd does: after an operator anything up to a comma or space is a value.</summary>
internal ref struct FilterScanner(ReadOnlySpan<char> text)
{
    private readonly ReadOnlySpan<char> _text = text;
    private bool _value;

    /// <summary>Where the next token, or the space before it, begins.</summary>
    public int Position { get; private set; }

    /// <summary>The character there, or NUL at the end; one that is NUL itself is refused by <see cref="Next"/>.</summary>
    public readonly char Peek => Position < _text.Length ? _text[Position] : '\0';

    public readonly bool IsAtEnd => Position == _text.Length;

    /// <summary>Reads a token.</summary>
    public FilterToken Next(out ReadOnlySpan<char> token)
    {
        while (Position < _text.Length && char.IsWhiteSpace(_text[Position]))
        {
            Position++;
        }

        var start = Position;
        var kind = Position == _text.Length ? FilterToken.End : Scan(_text[Position]);
        token = _text[start..Position];
        return kind;
    }

    private FilterToken Scan(char first)
    {
        switch (first)
        {
            case '/' or '|' or '"':
                return ScanQuoted(first) ? FilterToken.Quoted : FilterToken.Other;
            case ',' or '.':
                Position++;
                _value = false;
                return FilterToken.Separator;
            case '=' or '!' or '~':
                Skip(static c => c is '=' or '!' or '~');
                _value = true;
                return FilterToken.Operator;
            case var c when _value && IsOfValue(c):
                Skip(IsOfValue);
                _value = false;
                return FilterToken.Value;
            case var c when !_value && IsOfField(c):
                Skip(IsOfField);
                return FilterToken.Field;
            default:
                return FilterToken.Other;
        }
    }

    private bool ScanQuoted(char quote)
    {
        for (Position++; Position < _text.Length; Position++)
        {
            var c = _text[Position];
            if (c == quote)
            {
                Position++;
                return true;
            }

            if (c is '\n' or '\0')
            {
                return false;
            }

            // What an escape means is seen when it is read; here it only must not end the quotes.
            if (c == '\\')
            {
                Position++;
            }
        }

        Position = _text.Length;
        return false;
    }

    private void Skip(Func<char, bool> isPart)
    {
        do
        {
            Position++;
        }
        while (Position < _text.Length && isPart(_text[Position]));
    }

    private static bool IsOfField(char c) => c == '_' || char.IsAsciiLetterOrDigit(c);

    private static bool IsOfValue(char c) =>
        c != ',' && !char.IsWhiteSpace(c) && char.GetUnicodeCategory(c) is not (UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse);
}
