namespace ImageStore.Distribution.Auth;

/// <summary>One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1).</summary>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const int MaxHeaderLength = 8 * 1024;
    private const int MaxChallenges = 8;
    private const int MaxParameters = 32;

    public bool Is(string scheme) => string.Equals(Scheme, scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>The challenges in <paramref name="header"/>; what is malformed ends the list.</summary>
    public static IReadOnlyList<Challenge> Parse(string? header)
    {
        var found = new List<Challenge>();
        if (header is null || header.Length > MaxHeaderLength)
        {
            return found;
        }

        Dictionary<string, string>? parameters = null;
        var position = 0;
        while (true)
        {
            Skip(header, ref position, " \t,");
            var word = Token(header, ref position);
            if (word.Length == 0)
            {
                return found;
            }

            var after = position;
            Skip(header, ref after, " \t");
            if (parameters is not null && after < header.Length && header[after] == '=')
            {
                position = after + 1;
                Skip(header, ref position, " \t");
                if (Value(header, ref position) is not { } value || parameters.Count == MaxParameters)
                {
                    return found;
                }

                parameters.TryAdd(word, value);
                continue;
            }

            if (found.Count == MaxChallenges)
            {
                return found;
            }

            parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            found.Add(new Challenge(word, parameters));
        }
    }

    private static void Skip(string text, ref int position, string characters)
    {
        while (position < text.Length && characters.Contains(text[position], StringComparison.Ordinal))
        {
            position++;
        }
    }

    private static string Token(string text, ref int position)
    {
        var start = position;
        while (position < text.Length
            && (char.IsAsciiLetterOrDigit(text[position])
                || "!#$%&'*+-.^_`|~:/".Contains(text[position], StringComparison.Ordinal)))
        {
            position++;
        }

        return text[start..position];
    }

    private static string? Value(string text, ref int position)
    {
        if (position >= text.Length || text[position] != '"')
        {
            return Token(text, ref position);
        }

        var value = new System.Text.StringBuilder();
        for (position++; position < text.Length; position++)
        {
            switch (text[position])
            {
                case '"':
                    position++;
                    return value.ToString();
                case '\\' when position + 1 < text.Length:
                    position++;
                    break;
            }

            value.Append(text[position]);
        }

        return null;
    }
}
