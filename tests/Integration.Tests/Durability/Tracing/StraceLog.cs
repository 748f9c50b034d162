using System.Buffers;
using System.Globalization;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <summary>Reads what <c>strace -f -o</c> wrote.</summary>
/// <remarks>
/// The tracer handles one stop at a time and lets a thread go on only after it has written its line. So whatever a
/// program does because a call has ended comes after that end here.
/// </remarks>
internal static class StraceLog
{
    private const string Unfinished = " <unfinished ...>";
    private const string ResumedStart = "<... ";
    private const string ResumedEnd = " resumed>";
    private const string InjectedMark = "(INJECTED)";

    private static readonly SearchValues<char> s_digits = SearchValues.Create("-0123456789abcdefx");

    /// <summary>The events of all threads.</summary>
    public static List<TraceEvent> Read(IEnumerable<string> lines)
    {
        List<TraceEvent> events = [];
        Dictionary<int, (string Text, int Entered)> open = [];
        foreach (var line in lines)
        {
            var cut = line.IndexOf(' ', StringComparison.Ordinal);
            var thread = int.Parse(line.AsSpan(0, cut), CultureInfo.InvariantCulture);
            var text = line[cut..].TrimStart();
            if (text.StartsWith("+++", StringComparison.Ordinal) || text.StartsWith("---", StringComparison.Ordinal))
            {
                continue;
            }

            if (text.EndsWith(Unfinished, StringComparison.Ordinal))
            {
                text = text[..^Unfinished.Length];
                open[thread] = (text, events.Count);
                events.Add(new TraceEvent(Parse(text, events.Count), IsEnd: false));
                continue;
            }

            var entered = events.Count;
            if (text.StartsWith(ResumedStart, StringComparison.Ordinal))
            {
                open.Remove(thread, out var begun);
                text = begun.Text + text[(text.IndexOf(ResumedEnd, StringComparison.Ordinal) + ResumedEnd.Length)..];
                entered = begun.Entered;
            }
            else
            {
                events.Add(new TraceEvent(Parse(text, entered), IsEnd: false));
            }

            events.Add(new TraceEvent(Parse(text, entered) with { Left = events.Count }, IsEnd: true));
        }

        return events;
    }

    private static TracedCall Parse(string text, int entered)
    {
        var start = text.IndexOf('(', StringComparison.Ordinal);
        var arguments = StraceArguments.Split(text, start + 1, out var end);
        var result = text.AsSpan(end).TrimStart(") ");
        return new TracedCall(text[..start], arguments, entered)
        {
            Result = result is ['=', ' ', .. var value] ? Number(value) : null,
            Injected = result.EndsWith(InjectedMark, StringComparison.Ordinal),
        };
    }

    private static long? Number(ReadOnlySpan<char> text)
    {
        var length = text.IndexOfAnyExcept(s_digits);
        var digits = length < 0 ? text : text[..length];
        return digits.StartsWith("0x")
            ? long.Parse(digits[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;
    }
}
