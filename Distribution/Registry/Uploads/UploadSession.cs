using System.Globalization;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Registry.Uploads;

/// <summary>An upload that a registry has opened, and where its next request goes.</summary>
/// <param name="Reply">The last answer, which named the location.</param>
/// <param name="Location">Taken as it is: relative or absolute, with its query.</param>
/// <param name="MinChunkBytes">The least that a chunk but the last must hold.</param>
internal sealed record UploadSession(Reply Reply, Uri Location, long MinChunkBytes)
{
    // The specification sets no bound; this is far above what any registry asks for.
    private const long MaxMinChunkBytes = 1L << 30;
    private const char RangeDash = '-';

    /// <summary>The session that <paramref name="reply"/> opens or goes on with.</summary>
    /// <exception cref="ImageStoreException">It names no usable location.</exception>
    public static UploadSession Of(Reply reply, string subject, UploadSession? before)
    {
        var location = reply.Message.Headers.Location ?? before?.Location ?? throw new ImageStoreException(
            ErrorKind.Unavailable,
            $"{subject}: the registry opened an upload but named no address for it.",
            "Ask the registry's operator; a proxy may drop the Location header.");
        var minimum = long.TryParse(
            reply.Header("OCI-Chunk-Min-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
                ? Math.Min(bytes, MaxMinChunkBytes)
                : before?.MinChunkBytes ?? 0;
        return new UploadSession(reply, WithPort(reply.RequestUri, location), minimum);
    }

    /// <summary>How many bytes the registry has, by the Range header of <paramref name="reply"/> (<c>0-LAST</c>); null when it does not say.</summary>
    public static long? Received(Reply reply)
    {
        var range = reply.Header("Range");
        var dash = range?.IndexOf(RangeDash, StringComparison.Ordinal) ?? -1;
        return dash > 0
            && range![..dash] is "0" or "bytes=0"
            && long.TryParse(range.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
                // An upload without any byte is told as 0-0 by some and as 0--1 by others; one byte sent twice does no harm.
                ? last == 0 ? 0 : last + 1
                : null;
    }

    /// <summary>The address that ends the upload with <paramref name="digest"/>.</summary>
    public Uri Ending(string digest)
    {
        var text = Location.OriginalString;
        var separator = text.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        return new Uri($"{text}{separator}digest={Uri.EscapeDataString(digest)}", UriKind.RelativeOrAbsolute);
    }

    // Some registries behind a proxy forget the port that they were called on.
    private static Uri WithPort(Uri asked, Uri location) =>
        location.IsAbsoluteUri
        && location.IsDefaultPort && !asked.IsDefaultPort
        && location.Scheme == asked.Scheme
        && string.Equals(location.IdnHost, asked.IdnHost, StringComparison.OrdinalIgnoreCase)
            ? new UriBuilder(location) { Port = asked.Port }.Uri
            : location;
}
