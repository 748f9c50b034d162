namespace ImageStore.Distribution.Registry;

/// <summary>Reads the next page's address out of a Link header (RFC 8288); it is opaque and never rebuilt.</summary>
internal static class LinkHeader
{
    private const int MaxLength = 8 * 1024;

    /// <summary>The target of the link whose relation is <c>next</c>; null when there is none or the header is malformed.</summary>
    public static Uri? Next(string? header)
    {
        if (header is null || header.Length > MaxLength)
        {
            return null;
        }

        var rest = header.AsSpan();
        while (rest.IndexOf('<') is >= 0 and var open)
        {
            var close = rest[open..].IndexOf('>');
            if (close < 0)
            {
                return null;
            }

            var target = rest.Slice(open + 1, close - 1);
            rest = rest[(open + close + 1)..];
            var end = rest.IndexOf('<');
            if (IsNext(end < 0 ? rest : rest[..end]))
            {
                return Uri.TryCreate(target.ToString(), UriKind.RelativeOrAbsolute, out var uri) ? uri : null;
            }
        }

        return null;
    }

    private static bool IsNext(ReadOnlySpan<char> parameters)
    {
        foreach (var range in parameters.Split(';'))
        {
            var parameter = parameters[range].Trim();
            var equals = parameter.IndexOf('=');
            if (equals > 0
                && parameter[..equals].Trim().Equals("rel", StringComparison.OrdinalIgnoreCase)
                && parameter[(equals + 1)..].Trim(" \t,\"").Equals("next", StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
