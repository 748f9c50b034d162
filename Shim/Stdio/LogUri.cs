using ImageStore.Store.Errors;

namespace ImageStore.Shim.Stdio;

/// <summary>Where output goes to: a fifo's path, or <c>fifo://</c>, <c>file://</c>, <c>binary://</c> or <c>binary-v2://</c> and a path.</summary>
/// <param name="Scheme">Without the colon.</param>
/// <param name="Path">Absolute.</param>
/// <param name="Arguments">The names and values of the query, in turn.</param>
internal sealed record LogUri(string Scheme, string Path, IReadOnlyList<string> Arguments)
{
    public const string Fifo = "fifo";
    public const string File = "file";
    public const string Binary = "binary";
    public const string BinaryV2 = "binary-v2";

    private const int LongestBytes = 64 << 10;
    private const string Separator = "://";

    /// <summary>Is it a program that takes the output?</summary>
    public bool IsProgram => Scheme is Binary or BinaryV2;

    /// <summary>Reads one.</summary>
    /// <exception cref="ImageStoreException">Its scheme is another, or it has no absolute path.</exception>
    public static LogUri Parse(string text)
    {
        if (text.Length > LongestBytes)
        {
            throw new ImageStoreException(ErrorKind.LimitExceeded, $"The URI of an output is longer than {LongestBytes} characters.");
        }

        var at = text.IndexOf(Separator, StringComparison.Ordinal);
        if (at < 0)
        {
            return new LogUri(Fifo, text, []);
        }

        var scheme = text[..at];
        var rest = text[(at + Separator.Length)..];
        var query = rest.IndexOf('?', StringComparison.Ordinal);
        var path = Uri.UnescapeDataString(query < 0 ? rest : rest[..query]);
        if (scheme is not (Fifo or File or Binary or BinaryV2) || !path.StartsWith('/'))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"Output cannot go to {Printable.Of(text)}.", "Name a fifo, or file:// or binary:// and an absolute path.");
        }

        return new LogUri(scheme, path, query < 0 ? [] : ArgumentsOf(rest[(query + 1)..]));
    }

    private static List<string> ArgumentsOf(string query)
    {
        var arguments = new List<string>();
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            arguments.Add(Decode(equals < 0 ? pair : pair[..equals]));
            arguments.Add(equals < 0 ? string.Empty : Decode(pair[(equals + 1)..]));
        }

        return arguments;
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
