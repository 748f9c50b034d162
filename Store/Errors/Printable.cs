using System.Text;

namespace ImageStore.Store.Errors;

/// <summary>Makes text from outside safe to show: a registry or a layer must not write escape codes to a terminal.</summary>
public static class Printable
{
    private const int MaxLength = 512;

    /// <summary>Replaces control characters by escapes and cuts after 512 characters.</summary>
    public static string Of(ReadOnlySpan<char> text)
    {
        var cut = text.Length > MaxLength;
        if (!cut && !text.ContainsAnyExceptInRange(' ', '~'))
        {
            return text.ToString();
        }

        var result = new StringBuilder(Math.Min(text.Length, MaxLength) + 8);
        foreach (var rune in (cut ? text[..MaxLength] : text).EnumerateRunes())
        {
            if (Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) == System.Globalization.UnicodeCategory.Format)
            {
                result.Append("\\u").Append(rune.Value.ToString("x4", System.Globalization.CultureInfo.InvariantCulture));
            }
            else
            {
                result.Append(rune.ToString());
            }
        }

        return cut ? result.Append('…').ToString() : result.ToString();
    }
}
