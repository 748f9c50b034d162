using System.Globalization;
using System.Text;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <summary>The arguments of a call as strace prints them with <c>-y -xx</c>.</summary>
internal static class StraceArguments
{
    private const int HexEscape = 4;

    /// <summary>Splits at the commas between arguments; <paramref name="end"/> is where the closing parenthesis is, or the end.</summary>
    public static List<string> Split(string text, int start, out int end)
    {
        List<string> arguments = [];
        var (depth, quoted, from) = (0, false, start);
        for (end = start; end < text.Length; end++)
        {
            var c = text[end];
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (quoted)
            {
                // With -xx no quote is escaped inside a string.
            }
            else if (c is '(' or '[' or '{' or '<')
            {
                depth++;
            }
            else if (depth > 0 && (c is ']' or '}' or ')' || (c == '>' && text[end - 1] != '=')))
            {
                depth--;
            }
            else if (depth == 0 && c is ',' or ')')
            {
                arguments.Add(text[from..end].Trim());
                from = end + 1;
                if (c == ')')
                {
                    return arguments;
                }
            }
        }

        arguments.Add(text[from..end].Trim());
        return arguments;
    }

    /// <summary>The bytes of a string.</summary>
    public static byte[] Bytes(string argument)
    {
        if (argument is not ['"', .. var inner, '"'])
        {
            throw new NotModelledException($"'{argument[..Math.Min(argument.Length, 80)]}' is no whole string.");
        }

        return Unescape(inner);
    }

    private static byte[] Unescape(string inner)
    {
        var bytes = new byte[inner.Length / HexEscape];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = byte.Parse(inner.AsSpan((i * HexEscape) + 2, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        return bytes;
    }

    public static string Text(string argument) => Encoding.UTF8.GetString(Bytes(argument));

    /// <summary>The bytes of all parts of an <c>iovec</c>.</summary>
    public static byte[] Vector(string argument)
    {
        using var all = new MemoryStream();
        for (var at = 0; (at = argument.IndexOf("iov_base=", at, StringComparison.Ordinal)) >= 0;)
        {
            at += "iov_base=".Length;
            var close = argument.IndexOf('"', at + 1);
            all.Write(Bytes(argument[at..(close + 1)]));
            at = close;
        }

        return all.ToArray();
    }

    /// <summary>The number of a descriptor, or -1 for the working directory.</summary>
    public static int Descriptor(string argument)
    {
        var end = argument.IndexOf('<', StringComparison.Ordinal);
        return int.TryParse(end < 0 ? argument : argument[..end], CultureInfo.InvariantCulture, out var number) ? number : -1;
    }

    /// <summary>The path that strace found behind a descriptor, or null.</summary>
    public static string? DescriptorPath(string argument) =>
        argument.IndexOf('<', StringComparison.Ordinal) is > 0 and var start && argument[(start + 1)..] is ['\\', 'x', ..] path && path.EndsWith('>')
            ? Encoding.UTF8.GetString(Unescape(path[..^1]))
            : null;

    public static long Number(string argument) => long.Parse(argument, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <summary>A mode such as <c>0644</c> or <c>S_IFCHR|0600</c>; its permissions alone.</summary>
    public static int Mode(string argument) => Convert.ToInt32(argument[(argument.LastIndexOf('|') + 1)..], 8);

    /// <summary>The text after <c>name=</c> in a structure, up to the next comma or brace.</summary>
    public static string Field(string structure, string name, int from = 0)
    {
        var start = structure.IndexOf(name + "=", from, StringComparison.Ordinal);
        if (start < 0)
        {
            return string.Empty;
        }

        start += name.Length + 1;
        var end = structure.AsSpan(start).IndexOfAny(',', '}');
        return end < 0 ? structure[start..] : structure[start..(start + end)];
    }
}
