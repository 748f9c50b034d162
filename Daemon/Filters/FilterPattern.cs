using System.Text.RegularExpressions;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Filters;

/// <summary>Makes patterns of filters, which are Go's, ones of ours.</summary>
internal static class FilterPattern
{
    private const int MaxLength = 1024;
    private const int MaxAutomaton = 10_000;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(1);

    // Otherwise (a{999}){999} has a client of ours build for minutes.
    static FilterPattern() => AppContext.SetData("REGEX_NONBACKTRACKING_MAX_AUTOMATA_SIZE", MaxAutomaton);

    /// <summary>A pattern that takes no longer than its text is long.</summary>
    /// <exception cref="ImageStoreException">It is none, or too large (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static Regex Parse(string pattern)
    {
        if (pattern.Length > MaxLength)
        {
            throw Malformed(pattern, $"it has more than {MaxLength} characters", null);
        }

        try
        {
            var spelled = EndOfText(pattern.Replace("(?P<", "(?<", StringComparison.Ordinal));
            return new Regex(spelled, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, s_limit);
        }
        catch (Exception failure) when (failure is ArgumentException or NotSupportedException)
        {
            throw Malformed(pattern, Printable.Of(failure.Message), failure);
        }
    }

    // In Go a $ is the end of the text; in .NET it would match before a last line's end as well.
    private static string EndOfText(string pattern) =>
        pattern.EndsWith('$') && (pattern.Length - 1 - pattern.AsSpan(0, pattern.Length - 1).TrimEnd('\\').Length) % 2 == 0
            ? pattern[..^1] + @"\z"
            : pattern;

    private static ImageStoreException Malformed(string pattern, string why, Exception? inner) =>
        new(ErrorKind.InvalidArgument, $"The pattern '{Printable.Of(pattern)}' of a filter cannot be used: {why}.", null, inner);
}
