using System.Text.RegularExpressions;

namespace ImageStore.Daemon.Filters;

/// <summary>How a selector compares.</summary>
internal enum Comparison
{
    /// <summary>The field is there.</summary>
    Present,

    /// <summary>It is there and equal.</summary>
    Equal,

    /// <summary>It is another one, or not there.</summary>
    NotEqual,

    /// <summary>A pattern is found in it.</summary>
    Matches,
}

/// <summary>One condition of a filter.</summary>
/// <param name="Path">The field's path.</param>
/// <param name="Comparison">How it is compared.</param>
/// <param name="Value">With what.</param>
/// <param name="Pattern">The pattern, where it is one.</param>
internal sealed record Selector(IReadOnlyList<string> Path, Comparison Comparison, string Value, Regex? Pattern)
{
    public bool Matches(FieldLookup fields)
    {
        var present = fields(Path, out var value);
        return Comparison switch
        {
            Comparison.Present => present,
            Comparison.Equal => present && value == Value,
            Comparison.NotEqual => value != Value,
            _ => Pattern!.IsMatch(value),
        };
    }
}
