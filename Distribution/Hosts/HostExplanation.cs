using ImageStore.Distribution.Registry;

namespace ImageStore.Distribution.Hosts;

/// <summary>One host that would be asked, as far as it may be shown.</summary>
/// <param name="Address">Where its API is.</param>
/// <param name="Kind"><c>mirror</c> or <c>upstream</c>.</param>
/// <param name="Capabilities">What it is asked for: <c>pull</c>, <c>resolve</c>, <c>push</c>.</param>
/// <param name="Tls">How it is recognised, in words.</param>
/// <param name="Headers">The names of the headers that go along; their values may be secrets.</param>
/// <param name="Credential">Where the credential comes from and for which user; never the secret.</param>
/// <param name="ConfiguredAt">File and line; null where nothing is configured.</param>
public sealed record HostExplanation(
    string Address,
    string Kind,
    IReadOnlyList<string> Capabilities,
    string Tls,
    IReadOnlyList<string> Headers,
    string Credential,
    string? ConfiguredAt)
{
    internal static HostExplanation Of(RegistryHost host, string credential) => new(
        host.Origin.GetLeftPart(UriPartial.Authority) + host.BasePath,
        host.IsUpstream ? "upstream" : "mirror",
        [.. Enum.GetValues<HostCapabilities>()
            .Where(one => one is not (HostCapabilities.None or HostCapabilities.All) && host.Capabilities.HasFlag(one))
            .Select(one => one.ToString().ToLowerInvariant())],
        Security(host),
        [.. host.Headers.Select(header => header.Name).Distinct()],
        credential,
        host.ConfiguredAt);

    private static string Security(RegistryHost host)
    {
        if (host.Origin.Scheme == "http")
        {
            return host.IsGuess ? "none: plain HTTP on this machine, TLS if it answers so" : "none: plain HTTP";
        }

        var trusted = host.Tls.SkipVerify ? "TLS, not verified (skip_verify)"
            : host.Tls.Authorities.Count == 0 ? "TLS, the system's authorities"
            : $"TLS, also {string.Join(", ", host.Tls.Authorities)}";
        return host.Tls.Clients.Count == 0 ? trusted : $"{trusted}, as {string.Join(", ", host.Tls.Clients.Select(pair => pair.Certificate))}";
    }
}
