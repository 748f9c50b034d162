namespace ImageStore.Snapshotters.Layers;

/// <summary>Numbers in tar header fields: octal text, or base 256 where GNU's first bit is set.</summary>
internal static class TarNumber
{
    /// <summary>Is it empty, or a number that <see cref="Parse"/> takes?</summary>
    public static bool IsNumber(ReadOnlySpan<byte> field)
    {
        if (field[0] == 0 || (field[0] & 0x80) != 0)
        {
            return true;
        }

        var text = field.Trim(" \0"u8);
        var end = text.IndexOf((byte)0);
        return !(end < 0 ? text : text[..end]).ContainsAnyExceptInRange((byte)'0', (byte)'7');
    }

    public static long Parse(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            var value = (field[0] & 0x40) != 0 ? (Int128)(-1) : 0;
            value = (value << 6) | (Int128)(field[0] & 0x3F);
            foreach (var b in field[1..])
            {
                value = (value << 8) | b;
            }

            return value >= long.MinValue && value <= long.MaxValue
                ? (long)value : throw LayerFault.Corrupt("a number is out of range.");
        }

        var text = field.Trim(" \0"u8);
        var end = text.IndexOf((byte)0);
        long octal = 0;
        foreach (var b in end < 0 ? text : text[..end])
        {
            octal = b is >= (byte)'0' and <= (byte)'7' ? (octal << 3) | (uint)(b - '0')
                : throw LayerFault.Corrupt("a header number is not octal.");
        }

        return octal;
    }
}
