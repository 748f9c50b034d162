using ImageStore.Store.Errors;

namespace ImageStore.Store;

/// <summary>containerd's rule for identifiers: letters and digits, joined by <c>-</c>, <c>_</c> or <c>.</c>.</summary>
public static class Identifier
{
    /// <summary>Characters of an identifier.</summary>
    public const int MaxLength = 76;

    /// <summary>Is it an identifier?</summary>
    public static bool IsOne(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length is > 0 and <= MaxLength
            && char.IsAsciiLetterOrDigit(text[0])
            && char.IsAsciiLetterOrDigit(text[^1])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
    }

    /// <summary>Returns <paramref name="text"/> when it is an identifier.</summary>
    /// <param name="text">What was given.</param>
    /// <param name="what">What it would be, such as <c>a namespace</c>.</param>
    /// <param name="subject">The same at the beginning of a sentence.</param>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static string Check(string text, string what, string subject)
    {
        ArgumentNullException.ThrowIfNull(text);
        return IsOne(text)
            ? text
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(text)}' is not {what}.",
                $"{subject} has 1 to {MaxLength} letters, digits, '-', '_' and '.', and begins and ends with a letter or digit.");
    }
}
