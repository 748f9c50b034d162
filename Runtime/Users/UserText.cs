using System.Globalization;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Users;

/// <summary>A user as images and users of the command line write one: <c>USER[:GROUP]</c>, each a name or a number.</summary>
/// <param name="Text">As it was written.</param>
/// <param name="User">The user; null for root.</param>
/// <param name="Group">The group; null for the user's own.</param>
public sealed record UserText(string Text, AccountText? User, AccountText? Group)
{
    /// <summary>The greatest number that runtimes take for a user or group.</summary>
    public const uint MaxId = int.MaxValue;

    /// <summary>Reads <paramref name="text"/>; it may be empty, which is root.</summary>
    /// <exception cref="ImageStoreException">It is none, or a number is out of range (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static UserText Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':');
        return parts.Length <= 2 && !text.Any(char.IsControl)
            ? new UserText(text, Part(text, parts[0]), parts.Length == 2 ? Part(text, parts[1]) : null)
            : throw Wrong(text, "is none");
    }

    // What has digits alone is a number or an error, and never looked up as a name: USER 4294967296 must not become anybody.
    private static AccountText? Part(string text, string part) =>
        part.Length == 0 ? null
        : !part.All(char.IsAsciiDigit) ? new AccountText(part, null)
        : TryId(part) is { } id ? new AccountText(null, id)
        : throw Wrong(text, $"has a number above {MaxId}");

    internal static uint? TryId(string digits) =>
        uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id <= MaxId ? id : null;

    private static ImageStoreException Wrong(string text, string why) => new(
        ErrorKind.InvalidArgument, $"The user '{Printable.Of(text)}' {why}.", "Write USER or USER:GROUP, each a name or a number, such as 1000:1000.");
}

/// <summary>One half of a <see cref="UserText"/>: a name or a number.</summary>
/// <param name="Name">The name, or null.</param>
/// <param name="Id">The number, or null.</param>
public sealed record AccountText(string? Name, uint? Id);
