using System.Globalization;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Prepull;

/// <summary>The hours of a day in which something may begin, in local time; they may go over midnight.</summary>
/// <param name="From">When it opens.</param>
/// <param name="To">When it closes.</param>
internal readonly record struct TimeWindow(TimeOnly From, TimeOnly To)
{
    private const string EndOfDay = "24:00";
    private static readonly string[] s_formats = ["HH:mm", "H:mm"];

    /// <summary>Parses <c>22:00-05:00</c>.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static TimeWindow Parse(string text)
    {
        var ends = text.Split('-', StringSplitOptions.TrimEntries);
        if (ends.Length != 2 || Time(ends[0]) is not { } from || (ends[1] == EndOfDay ? TimeOnly.MinValue : Time(ends[1])) is not { } to)
        {
            throw Wrong($"'{Printable.Of(text)}' is no window such as 22:00-05:00.");
        }

        return from != to
            ? new TimeWindow(from, to)
            : throw Wrong($"'{Printable.Of(text)}' begins and ends at the same time; for the whole day there is no need of a window.");
    }

    /// <summary>Is it open?</summary>
    public bool IsOpenAt(DateTimeOffset local) => TimeOnly.FromDateTime(local.DateTime).IsBetween(From, To);

    /// <summary>How long it stays closed; nothing while it is open.</summary>
    public TimeSpan UntilOpen(DateTimeOffset local) => IsOpenAt(local) ? TimeSpan.Zero : From - TimeOnly.FromDateTime(local.DateTime);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{From:HH\\:mm}-{To:HH\\:mm}");

    private static TimeOnly? Time(string text) =>
        TimeOnly.TryParseExact(text, s_formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;

    private static ImageStoreException Wrong(string why) => new(ErrorKind.InvalidArgument, why, "Write two times of the day, such as 22:00-05:00.");
}
