using System.Globalization;
using ImageStore.Store.Configuration;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Configuration;

/// <summary>A user or a group as it was written, which is looked up by whom it concerns.</summary>
/// <param name="Written">Where it stands.</param>
/// <param name="Id">Its number, where it was written as one.</param>
public sealed record AccountName(TomlItem Written, uint? Id)
{
    private const int MaxLength = 256;

    /// <summary>Its name, where it was not written as a number.</summary>
    public string Name => Written.Text;

    /// <summary>Reads a name or a number.</summary>
    /// <exception cref="ImageStoreException">It is neither.</exception>
    internal static AccountName Of(TomlItem item)
    {
        var text = item.IsText ? item.Text : item.Number.ToString(CultureInfo.InvariantCulture);

        // The greatest number stands for none in the kernel's calls.
        if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id != uint.MaxValue)
        {
            return new AccountName(item, id);
        }

        // A NUL would end it for the C library, and a colon is no part of any.
        return item.IsText && text.Length is > 0 and <= MaxLength && !text.All(char.IsAsciiDigit) && !text.Any(c => char.IsControl(c) || c is ':' or ',')
            ? new AccountName(item, null)
            : throw item.Complaint($"'{Printable.Of(text)}' is neither a name nor a number of a user or a group");
    }
}
