using System.Buffers;
using System.Globalization;

namespace ImageStore.Distribution.Hosts;

/// <summary>Times as Go writes them: <c>30s</c>, <c>1m30s</c>, <c>500ms</c>.</summary>
internal static class GoDuration
{
    private static readonly TimeSpan s_most = TimeSpan.FromHours(1);
    private static readonly SearchValues<char> s_number = SearchValues.Create("0123456789.");

    /// <summary>The time, or null where it is none, or not more than nothing and at most an hour.</summary>
    public static TimeSpan? Parse(ReadOnlySpan<char> text)
    {
        var total = TimeSpan.Zero;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExcept(s_number);
            if (digits <= 0
                || !double.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                || number > s_most.TotalMilliseconds)
            {
                return null;
            }

            text = text[digits..];
            var letters = text.IndexOfAny(s_number) is >= 0 and var next ? next : text.Length;
            switch (text[..letters])
            {
                case "h":
                    total += TimeSpan.FromHours(number);
                    break;
                case "m":
                    total += TimeSpan.FromMinutes(number);
                    break;
                case "s":
                    total += TimeSpan.FromSeconds(number);
                    break;
                case "ms":
                    total += TimeSpan.FromMilliseconds(number);
                    break;
                default:
                    return null;
            }

            text = text[letters..];
        }

        return total > TimeSpan.Zero && total <= s_most ? total : null;
    }
}
