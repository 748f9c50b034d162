using System.Globalization;
using System.Text;

namespace ImageStore.Snapshotters.Layers;

/// <summary>PAX extended header records, whose values are bytes.</summary>
internal static class PaxRecords
{
    /// <summary>A sparse file's map: offsets and lengths in turn, with commas.</summary>
    public const string SparseMapKey = "GNU.sparse.map";

    /// <summary>Before the name of an extended attribute.</summary>
    public const string XattrPrefix = "SCHILY.xattr.";

    public static void Read(ReadOnlySpan<byte> data, Dictionary<string, byte[]> into)
    {
        List<byte> map = [];
        var numbers = 0;
        while (data.Length > 0)
        {
            var space = data[..Math.Min(data.Length, 20)].IndexOf((byte)' ');
            if (space < 1 || !int.TryParse(data[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length > data.Length || length <= space + 2 || data[length - 1] != '\n')
            {
                throw LayerFault.Corrupt("a PAX record has a wrong length.");
            }

            var record = data[(space + 1)..(length - 1)];
            data = data[length..];
            var equals = record.IndexOf((byte)'=');
            if (equals < 1)
            {
                throw LayerFault.Corrupt("a PAX record has no name.");
            }

            var key = Encoding.Latin1.GetString(record[..equals]);
            var value = record[(equals + 1)..];
            if (key.Contains('\0', StringComparison.Ordinal) || (key is "path" or "linkpath" && value.Contains((byte)0)))
            {
                // The kernel would take what comes before it for the whole.
                throw LayerFault.Corrupt("a PAX record holds a NUL byte where a name is due.");
            }

            if (key is "GNU.sparse.offset" or "GNU.sparse.numbytes")
            {
                // Form 0.0 has a pair of records for each segment, so they come again and again.
                if ((numbers++ % 2 == 0) != (key == "GNU.sparse.offset") || value.Contains((byte)','))
                {
                    throw LayerFault.Corrupt("a sparse file's map is malformed.");
                }

                map.AddRange(numbers > 1 ? [(byte)',', .. value] : value);
            }
            else if (value.IsEmpty && !key.StartsWith(XattrPrefix, StringComparison.Ordinal))
            {
                into.Remove(key);
            }
            else
            {
                into[key] = value.ToArray();
            }
        }

        if (numbers > 0)
        {
            into[SparseMapKey] = [.. map];
        }
    }

    public static long Integer(ReadOnlySpan<byte> text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value : throw LayerFault.Corrupt("a PAX number is malformed.");

    public static (long Seconds, uint Nanoseconds) Time(ReadOnlySpan<byte> text)
    {
        var point = text.IndexOf((byte)'.');
        var seconds = Integer(point < 0 ? text : text[..point]);
        uint fraction = 0, scale = 100_000_000;
        foreach (var digit in point < 0 ? [] : text[(point + 1)..])
        {
            fraction += digit is >= (byte)'0' and <= (byte)'9' ? (uint)(digit - '0') * scale
                : throw LayerFault.Corrupt("a PAX time is malformed.");
            scale /= 10;
        }

        return text[0] != '-' || fraction == 0 ? (seconds, fraction)
            : seconds > long.MinValue ? (seconds - 1, 1_000_000_000 - fraction)
            : throw LayerFault.Corrupt("a PAX time is out of range.");
    }
}
