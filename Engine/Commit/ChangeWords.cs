using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Commit;

/// <summary>The words after a Dockerfile's instruction: quoted, in pairs, or as JSON.</summary>
internal static class ChangeWords
{
    /// <summary>A program and its arguments: a JSON array as it is, anything else for the shell.</summary>
    public static IReadOnlyList<string> Command(string text, string line) =>
        text[0] == '[' ? Json(text, line) : ["/bin/sh", "-c", text];

    /// <summary>A JSON array of strings.</summary>
    public static IReadOnlyList<string> Json(string text, string line)
    {
        try
        {
            if (JsonNode.Parse(text) is JsonArray array && array.All(node => node is JsonValue value && value.GetValueKind() == JsonValueKind.String))
            {
                return [.. array.Select(node => node!.GetValue<string>())];
            }
        }
        catch (JsonException)
        {
            // Told below, as any other text.
        }

        throw Wrong(line, "begins as a JSON array and is none of strings");
    }

    /// <summary><c>KEY=VALUE</c> pairs, or one key and all the rest as its value.</summary>
    public static IReadOnlyList<(string Key, string Value)> Pairs(string text, string line)
    {
        var space = text.AsSpan().IndexOfAny(' ', '\t');
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (space > 0 && (equals < 0 || equals > space))
        {
            return [(text[..space], text[space..].Trim())];
        }

        List<(string, string)> pairs = [];
        foreach (var word in Split(text, line))
        {
            var at = word.IndexOf('=', StringComparison.Ordinal);
            pairs.Add(at > 0 ? (word[..at], word[(at + 1)..]) : throw Wrong(line, $"has '{Printable.Of(word)}', which is no KEY=VALUE"));
        }

        return pairs;
    }

    /// <summary>Words apart by spaces; quotes hold one together, and a backslash takes the next character as it is.</summary>
    public static IReadOnlyList<string> Split(string text, string line)
    {
        List<string> words = [];
        var word = new StringBuilder();
        var (quote, inWord) = ('\0', false);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\' && quote != '\'' && i + 1 < text.Length)
            {
                word.Append(text[++i]);
                inWord = true;
            }
            else if (quote != '\0' ? c == quote : c is '"' or '\'')
            {
                quote = quote == '\0' ? c : '\0';
                inWord = true;
            }
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                End();
            }
            else
            {
                word.Append(c);
                inWord = true;
            }
        }

        if (quote != '\0')
        {
            throw Wrong(line, "has a quote that does not end");
        }

        End();
        return words;

        void End()
        {
            if (inWord)
            {
                words.Add(word.ToString());
                word.Clear();
                inWord = false;
            }
        }
    }

    public static ImageStoreException Wrong(string line, string what) => new(
        ErrorKind.InvalidArgument,
        $"The change '{Printable.Of(line)}' {what}.",
        "Write it as in a Dockerfile, such as 'ENV A=b', 'CMD [\"sh\"]' or 'EXPOSE 80/tcp'.");
}
