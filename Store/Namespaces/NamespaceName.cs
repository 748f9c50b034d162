using ImageStore.Store.Errors;

namespace ImageStore.Store.Namespaces;

/// <summary>containerd's identifier rule: letters and digits, joined by <c>-</c>, <c>_</c> or <c>.</c>.</summary>
public static class NamespaceName
{
    /// <summary>Characters of an identifier.</summary>
    public const int MaxLength = 76;

    /// <summary>Returns <paramref name="name"/> when it may name a namespace.</summary>
    /// <exception cref="ImageStoreException">It may not (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static string Check(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var valid = name.Length is > 0 and <= MaxLength
            && char.IsAsciiLetterOrDigit(name[0])
            && char.IsAsciiLetterOrDigit(name[^1])
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
        return valid
            ? name
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(name)}' is not a namespace.",
                $"A namespace has 1 to {MaxLength} letters, digits, '-', '_' and '.', and begins and ends with a letter or digit.");
    }
}
