using ImageStore.Store.Errors;

namespace ImageStore.Store.Leases;

/// <summary>What a lease may be called, and how that stands in a row's key.</summary>
/// <remarks>Clients of containerd call leases as they like: ctr uses the directory that it mounts on.</remarks>
internal static class LeaseName
{
    private const int MaxLength = 256;

    /// <exception cref="ImageStoreException">It cannot name a lease (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static void Check(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (id.Length is 0 or > MaxLength || id.Any(char.IsControl) || char.IsWhiteSpace(id[0]) || char.IsWhiteSpace(id[^1]))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(id)}' is not the id of a lease.",
                $"An id has 1 to {MaxLength} characters, none of them a control character, and does not begin or end with a space.");
        }
    }

    /// <summary>The id without slashes, which part a key; most ids are their own.</summary>
    public static string ToKey(string id) =>
        id.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal);

    /// <summary>The id that <see cref="ToKey"/> made the part of a key of.</summary>
    public static string FromKey(string part) =>
        part.Replace("%2F", "/", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal);
}
