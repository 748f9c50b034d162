using System.Globalization;
using ImageStore.Store;

namespace ImageStore.Cli.Output;

/// <summary>Bytes and times as people read them.</summary>
internal static class Sizes
{
    public static string Of(long bytes) => ByteText.Of(bytes);

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
