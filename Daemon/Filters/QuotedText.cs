using System.Buffers;
using System.Globalization;
using System.Text;

namespace ImageStore.Daemon.Filters;

/// <summary>Reads Go's quoted strings, which in filters may stand between slashes or bars as well.</summary>
internal static class QuotedText
{
    /// <summary>The text between the quotes, or null when it is malformed.</summary>
    public static string? Read(ReadOnlySpan<char> quoted)
    {
        if (quoted.Length < 2 || quoted[^1] != quoted[0])
        {
            return null;
        }

        var quote = quoted[0];
        var rest = quoted[1..^1];

        // Escapes may give single bytes, so that only the whole is text.
        var bytes = new ArrayBufferWriter<byte>(rest.Length + 1);
        while (!rest.IsEmpty)
        {
            if (rest[0] == '\\')
            {
                if (!ReadEscape(ref rest, quote, bytes))
                {
                    return null;
                }
            }
            else if (Rune.DecodeFromUtf16(rest, out var rune, out var used) == OperationStatus.Done)
            {
                Append(bytes, rune);
                rest = rest[used..];
            }
            else
            {
                return null;
            }
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private static bool ReadEscape(ref ReadOnlySpan<char> rest, char quote, ArrayBufferWriter<byte> bytes)
    {
        if (rest.Length < 2)
        {
            return false;
        }

        var kind = rest[1];
        if (kind is >= '0' and <= '7')
        {
            return ReadOctal(ref rest, bytes);
        }

        if (kind is 'x' or 'u' or 'U')
        {
            return ReadHex(ref rest, kind, bytes);
        }

        var plain = kind switch
        {
            'a' => 7,
            'b' => 8,
            't' => 9,
            'n' => 10,
            'v' => 11,
            'f' => 12,
            'r' => 13,
            '\\' => '\\',
            _ when kind == quote => quote,
            _ => -1,
        };
        if (plain < 0)
        {
            return false;
        }

        Append(bytes, (byte)plain);
        rest = rest[2..];
        return true;
    }

    private static bool ReadOctal(ref ReadOnlySpan<char> rest, ArrayBufferWriter<byte> bytes)
    {
        var value = 0;
        if (rest.Length < 4)
        {
            return false;
        }

        foreach (var digit in rest[1..4])
        {
            if (digit is < '0' or > '7')
            {
                return false;
            }

            value = (value * 8) + (digit - '0');
        }

        if (value > byte.MaxValue)
        {
            return false;
        }

        Append(bytes, (byte)value);
        rest = rest[4..];
        return true;
    }

    private static bool ReadHex(ref ReadOnlySpan<char> rest, char kind, ArrayBufferWriter<byte> bytes)
    {
        var length = kind switch { 'x' => 2, 'u' => 4, _ => 8 };
        if (rest.Length < 2 + length
            || !uint.TryParse(rest.Slice(2, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        if (kind == 'x')
        {
            Append(bytes, (byte)value);
        }
        else if (Rune.TryCreate(value, out var rune))
        {
            Append(bytes, rune);
        }
        else
        {
            return false;
        }

        rest = rest[(2 + length)..];
        return true;
    }

    private static void Append(ArrayBufferWriter<byte> bytes, byte one)
    {
        bytes.GetSpan(1)[0] = one;
        bytes.Advance(1);
    }

    private static void Append(ArrayBufferWriter<byte> bytes, Rune rune) => bytes.Advance(rune.EncodeToUtf8(bytes.GetSpan(4)));
}
