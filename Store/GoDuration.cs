using System.Buffers;
using System.Globalization;

namespace ImageStore.Store;

/// <summary>Times as Go writes them, and days: <c>30s</c>, <c>1m30s</c>, <c>500ms</c>, <c>7d</c>.</summary>
public static class GoDuration
{
    private static readonly SearchValues<char> s_number = SearchValues.Create("0123456789.");

    /// <summary>The time, or null where it is none, or not more than nothing and at most <paramref name="most"/>.</summary>
    public static TimeSpan? Parse(ReadOnlySpan<char> text, TimeSpan most)
    {
        var total = 0.0;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExcept(s_number);
            if (digits <= 0 || !double.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            text = text[digits..];
            var letters = text.IndexOfAny(s_number) is >= 0 and var next ? next : text.Length;
            var milliseconds = text[..letters] switch
            {
                "d" => 86_400_000.0,
                "h" => 3_600_000,
                "m" => 60_000,
                "s" => 1_000,
                "ms" => 1,
                _ => double.NaN,
            };
            total += number * milliseconds;
            text = text[letters..];
        }

        // What is no number is not within the bounds either.
        return total > 0 && total <= most.TotalMilliseconds ? TimeSpan.FromMilliseconds(total) : null;
    }
}
