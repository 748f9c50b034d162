using System.Globalization;

namespace ImageStore.Store;

/// <summary>Numbers of bytes as people read and write them.</summary>
public static class ByteText
{
    private const long Kilo = 1024;
    private const string Letters = "kMGT";
    private static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Such as <c>436.1 MiB</c>.</summary>
    public static string Of(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        while (Math.Abs(value) >= Kilo && unit < s_units.Length - 1)
        {
            (value, unit) = (value / Kilo, unit + 1);
        }

        return unit == 0 ? $"{bytes} B" : value.ToString("0.0 ", CultureInfo.InvariantCulture) + s_units[unit];
    }

    /// <summary>A number, or one with k, M, G or T (of 1024) as users of curl write it: <c>500k</c>, <c>1.5G</c>, <c>10MiB</c>.</summary>
    /// <returns>The bytes, or null when it is none from 1 on.</returns>
    public static long? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var number = text.TrimEnd('b', 'B', 'i');
        var unit = number.Length > 0 ? Letters.IndexOf(number[^1].ToString(), StringComparison.OrdinalIgnoreCase) : -1;
        if (unit >= 0)
        {
            number = number[..^1];
        }

        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value * Math.Pow(Kilo, unit + 1) is >= 1 and <= long.MaxValue / 2 and var bytes
            ? (long)bytes
            : null;
    }
}
