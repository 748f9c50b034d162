using System.Net;
using System.Net.Sockets;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Transport;

/// <summary>Which redirects are followed, and who gets credentials.</summary>
internal static class RedirectPolicy
{
    public const int MaxHops = 10;
    private static readonly IPAddress s_awsMetadataV6 = IPAddress.Parse("fd00:ec2::254");
    private static readonly IPAddress s_alibabaMetadata = IPAddress.Parse("100.100.100.200");

    public static bool IsRedirect(HttpStatusCode status) => (int)status is 301 or 302 or 303 or 307 or 308;

    public static bool SameOrigin(Uri left, Uri right) =>
        left.Scheme == right.Scheme
        && left.Port == right.Port
        && string.Equals(left.IdnHost, right.IdnHost, StringComparison.OrdinalIgnoreCase);

    public static bool IsLoopback(Uri uri) => IPAddress.TryParse(uri.DnsSafeHost, out var address)
        ? IPAddress.IsLoopback(address)
        : string.Equals(uri.IdnHost, "localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>The address that <paramref name="location"/> leads to.</summary>
    /// <exception cref="ImageStoreException">It must not be followed.</exception>
    public static Uri Next(Uri current, Uri? location)
    {
        if (location is null || !Uri.TryCreate(current, location, out var next))
        {
            throw Refused(current, "it names no valid address");
        }

        Check(current, next);
        return next;
    }

    /// <summary>Refuses <paramref name="next"/> where <paramref name="current"/> may not send us.</summary>
    /// <exception cref="ImageStoreException">It must not be followed.</exception>
    public static void Check(Uri current, Uri next)
    {
        if (next.Scheme is not ("http" or "https") || next.UserInfo.Length > 0)
        {
            throw Refused(current, "only http and https addresses without a password are followed");
        }

        if (current.Scheme == "https" && next.Scheme == "http")
        {
            throw Refused(current, "it leads from https to http");
        }

        if (IsInternal(next) && !IsInternal(current))
        {
            throw Refused(current, "it leads to this machine's network or metadata service");
        }
    }

    // A metadata service hands out the machine's own credentials: no registry may make us ask it.
    private static bool IsInternal(Uri uri)
    {
        if (uri.IdnHost.TrimEnd('.').Equals("metadata.google.internal", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (!IPAddress.TryParse(uri.DnsSafeHost, out var address))
        {
            return false;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetwork
            ? address.GetAddressBytes() is [169, 254, ..] || address.Equals(s_alibabaMetadata)
            : address.IsIPv6LinkLocal || address.Equals(s_awsMetadataV6);
    }

    private static ImageStoreException Refused(Uri from, string why) => new(
        ErrorKind.PermissionDenied,
        $"A redirect or token address from {Printable.Of(from.Authority)} is refused: {why}.",
        "Ask the registry's operator to correct the address that it hands out.");
}
