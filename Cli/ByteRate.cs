using System.Globalization;
using ImageStore.Store.Errors;

namespace ImageStore.Cli;

/// <summary>A rate or size as users of curl write it: bytes, or with k, M, G (of 1024).</summary>
internal static class ByteRate
{
    private const string Units = "kMGT";
    private const long Kilo = 1024;

    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static long Parse(string text)
    {
        var number = text.TrimEnd('b', 'B', 'i');
        var unit = number.Length > 0 ? Units.IndexOf(number[^1].ToString(), StringComparison.OrdinalIgnoreCase) : -1;
        if (unit >= 0)
        {
            number = number[..^1];
        }

        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            || value * Math.Pow(Kilo, unit + 1) is not (>= 1 and <= long.MaxValue / 2))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"'{Printable.Of(text)}' is no number of bytes.", "Write such as 500k, 10M or 1.5G.");
        }

        return (long)(value * Math.Pow(Kilo, unit + 1));
    }
}
