using System.Net.Http.Headers;
using System.Text.Json;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Auth;

/// <summary>Gets bearer tokens, by OAuth2 where there is an identity token, else by GET.</summary>
/// <remarks>
/// <see href="https://distribution.github.io/distribution/spec/auth/token/">Token authentication</see>. A realm on
/// another host gets the credential over https or on loopback only: registries do keep their token server elsewhere.
/// </remarks>
internal sealed class TokenClient(HttpTransport transport, TimeProvider time)
{
    private const int MaxTokenBytes = 256 * 1024;
    private const int MinLifetimeSeconds = 60;
    private const int MaxLifetimeSeconds = 24 * 3600;
    private const string ClientId = "imagestore";

    public async Task<BearerToken> GetAsync(
        RegistryHost host, Challenge challenge, IReadOnlyList<string> scopes, Credential? credential, CancellationToken ct)
    {
        var registry = host.Origin;
        if (!challenge.Parameters.TryGetValue("realm", out var text) || !Uri.TryCreate(text, UriKind.Absolute, out var realm))
        {
            throw Failed(registry, "it names no valid token address");
        }

        RedirectPolicy.Check(registry, realm);
        if (realm.Scheme != "https" && !RedirectPolicy.IsLoopback(realm) && !RedirectPolicy.SameOrigin(registry, realm))
        {
            credential = null;
        }

        challenge.Parameters.TryGetValue("service", out var service);
        if (credential?.IdentityToken is { } identity)
        {
            using var reply = await transport.SendAsync(
                Post(realm, service, scopes, identity) with { Host = Settings(host, realm) }, ct).ConfigureAwait(false);
            // Token servers without OAuth2 say so in many ways.
            if (reply.IsSuccess)
            {
                return Parse(registry, reply.Body);
            }

            if ((int)reply.Status is not (400 or 401 or 403 or 404 or 405))
            {
                throw ErrorReply.ToException(reply, $"A token for {Printable.Of(registry.Authority)}");
            }

            credential = new Credential { Username = Credential.TokenUser, Password = identity };
        }

        using var answer = await transport.SendAsync(
            Get(realm, service, scopes, credential?.Basic()) with { Host = Settings(host, realm) }, ct).ConfigureAwait(false);
        return answer.IsSuccess
            ? Parse(registry, answer.Body)
            : throw ErrorReply.ToException(answer, $"A token for {Printable.Of(registry.Authority)}");
    }

    // A token server elsewhere is trusted by the same authorities, but gets none of the registry's headers and certificates.
    private static RegistryHost Settings(RegistryHost host, Uri realm) => RedirectPolicy.SameOrigin(host.Origin, realm)
        ? host
        : host with { Headers = [], Tls = new Hosts.TlsSettings { Authorities = host.Tls.Authorities, SkipVerify = host.Tls.SkipVerify } };

    private static RegistryRequest Post(Uri realm, string? service, IReadOnlyList<string> scopes, string identity) =>
        new(HttpMethod.Post, realm)
        {
            BodyLimit = MaxTokenBytes,
            Form =
            [
                new("grant_type", "refresh_token"),
                new("service", service ?? string.Empty),
                new("client_id", ClientId),
                .. scopes.Count == 0 ? [] : (KeyValuePair<string, string>[])[new("scope", string.Join(' ', scopes))],
                new("refresh_token", identity),
            ],
        };

    private static RegistryRequest Get(Uri realm, string? service, IReadOnlyList<string> scopes, AuthenticationHeaderValue? basic)
    {
        var address = new UriBuilder(realm);
        var query = scopes.Select(scope => $"scope={Uri.EscapeDataString(scope)}").ToList();
        if (!string.IsNullOrEmpty(service))
        {
            query.Add($"service={Uri.EscapeDataString(service)}");
        }

        if (address.Query.Length > 1)
        {
            query.Insert(0, address.Query[1..]);
        }

        address.Query = string.Join('&', query);
        return new RegistryRequest(HttpMethod.Get, address.Uri) { BodyLimit = MaxTokenBytes, Authorization = basic };
    }

    private BearerToken Parse(Uri registry, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var root = json.RootElement;
            var token = Text(root, "token") ?? Text(root, "access_token");
            if (token is null || token.AsSpan().ContainsAnyExceptInRange('!', '~'))
            {
                throw Failed(registry, "its token server sent no usable token");
            }

            var lifetime = root.TryGetProperty("expires_in", out var expires)
                && expires.ValueKind == JsonValueKind.Number && expires.TryGetInt64(out var seconds)
                ? Math.Clamp(seconds, MinLifetimeSeconds, MaxLifetimeSeconds)
                : MinLifetimeSeconds;
            // Our own clock counts, from now on: issued_at is optional and the other clock may be wrong.
            return new BearerToken(new("Bearer", token), time.GetUtcNow().AddSeconds(lifetime));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Failed(registry, "its token server's answer is not understood");
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text ? text : null;

    private static ImageStoreException Failed(Uri registry, string why) => new(
        ErrorKind.Unauthenticated,
        $"Cannot authenticate to {Printable.Of(registry.Authority)}: {why}.",
        "Check the registry's address, or ask its operator.");
}
