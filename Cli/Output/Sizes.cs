using System.Globalization;

namespace ImageStore.Cli.Output;

/// <summary>Bytes and times as people read them.</summary>
internal static class Sizes
{
    private static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string Of(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        while (value >= 1024 && unit < s_units.Length - 1)
        {
            (value, unit) = (value / 1024, unit + 1);
        }

        return unit == 0 ? $"{bytes} B" : value.ToString("0.0 ", CultureInfo.InvariantCulture) + s_units[unit];
    }

    /// <summary>The largest unit of it alone, such as <c>3 days</c>.</summary>
    public static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 730 } => $"{(int)(age.TotalDays / 365)} years",
        { TotalDays: >= 60 } => $"{(int)(age.TotalDays / 30)} months",
        { TotalDays: >= 2 } => $"{(int)age.TotalDays} days",
        { TotalHours: >= 2 } => $"{(int)age.TotalHours} hours",
        { TotalMinutes: >= 2 } => $"{(int)age.TotalMinutes} minutes",
        _ => "just now",
    };

    public static string Of(DateTimeOffset time) =>
        time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
