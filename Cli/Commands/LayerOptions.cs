using System.CommandLine;
using System.Globalization;
using ImageStore.Store.Errors;

namespace ImageStore.Cli.Commands;

/// <summary>The options of verbs that make a layer.</summary>
internal static class LayerOptions
{
    private const string TimeVariable = "SOURCE_DATE_EPOCH";

    public static Option<string> Compression()
    {
        var option = new Option<string>("--compression")
        {
            Description = "How the layer is compressed: gzip, zstd or none, with a level such as zstd:19", HelpName = "KIND[:LEVEL]",
        };
        option.CompletionSources.Add("gzip", "zstd", "none");
        return option;
    }

    public static Option<string> Timestamp() => new("--timestamp")
    {
        Description = $"The latest time that anything gets, for builds that are to be reproducible: RFC 3339, or seconds since 1970 [env: {TimeVariable}]",
        HelpName = "TIME",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(TimeVariable) is { Length: > 0 } value ? value : null!,
    };

    /// <summary>The time that the option names, or null.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static DateTimeOffset? Time(string? text)
    {
        if (text is null)
        {
            return null;
        }

        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            return seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(seconds) : throw Wrong(text);
        }

        return text.Contains('-', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            && time >= DateTimeOffset.UnixEpoch
                ? time
                : throw Wrong(text);
    }

    private static ImageStoreException Wrong(string text) => new(
        ErrorKind.InvalidArgument, $"'{Printable.Of(text)}' is no time.", "Write seconds since 1970, or a time such as 2026-01-31T12:00:00Z.");
}
