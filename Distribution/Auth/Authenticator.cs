using System.Collections.Concurrent;
using System.Net.Http.Headers;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transport;

namespace ImageStore.Distribution.Auth;

/// <summary>Remembers each registry's challenge and each scope's token; learns only from a 401.</summary>
internal sealed class Authenticator(HttpTransport transport, CredentialStore credentials, RegistryOptions options) : IDisposable
{
    private const int Turns = 16;

    // A token is renewed this long before its end, less than any lifetime that we accept.
    private static readonly TimeSpan s_margin = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string Origin, string Scopes), BearerToken> _headers = new();
    private readonly ConcurrentDictionary<string, IReadOnlyList<Challenge>> _challenges = new();
    private readonly TokenClient _tokens = new(transport, options.Time);

    // Renewals of one token take turns; those of others rarely share one of these.
    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, Turns).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>What to send; null where the registry has asked for nothing yet.</summary>
    public async ValueTask<AuthenticationHeaderValue?> HeaderAsync(
        RegistryHost host, AccessScope scope, CancellationToken ct)
    {
        if (_headers.TryGetValue(Key(host, scope), out var known) && options.Time.GetUtcNow() < known.Expires - s_margin)
        {
            return known.Header;
        }

        return _challenges.TryGetValue(host.Origin.AbsoluteUri, out var challenges)
            ? await RenewAsync(host, scope, challenges, known?.Header, ct).ConfigureAwait(false)
            : null;
    }

    /// <summary>Answers the registry's own 401; null where there is nothing to answer with.</summary>
    public async Task<AuthenticationHeaderValue?> AnswerAsync(
        RegistryHost host, AccessScope scope, Reply refusal, AuthenticationHeaderValue? used, CancellationToken ct)
    {
        var challenges = Challenge.Parse(refusal.Header("WWW-Authenticate"));
        if (challenges.Count == 0)
        {
            // gcr.io sends none with real requests, only with this one.
            using var ping = await transport.SendAsync(
                new RegistryRequest(HttpMethod.Get, new Uri(host.Origin, host.BasePath + "/"))
                {
                    Host = host, BodyLimit = CappedBody.MaxErrorBytes,
                },
                ct).ConfigureAwait(false);
            challenges = RedirectPolicy.SameOrigin(ping.FinalUri, host.Origin)
                ? Challenge.Parse(ping.Header("WWW-Authenticate"))
                : [];
        }

        _challenges[host.Origin.AbsoluteUri] = challenges;
        return await RenewAsync(host, scope, challenges, used, ct).ConfigureAwait(false);
    }

    /// <summary>Where the credential for a host comes from, without its secret.</summary>
    public async Task<string> DescribeAsync(RegistryHost host, string repository, CancellationToken ct)
    {
        var source = host.OwnCredential is not null ? host.ConfiguredAt
            : host.CredentialHelper is { } helper ? $"docker-credential-{helper}"
            : "docker or podman login";
        return await CredentialAsync(host, repository, ct).ConfigureAwait(false) is { } credential
            ? $"{credential.Describe()} ({source})"
            : "anonymous";
    }

    public void Dispose() => Array.ForEach(_turns, turn => turn.Dispose());

    private async Task<AuthenticationHeaderValue?> RenewAsync(
        RegistryHost host,
        AccessScope scope,
        IReadOnlyList<Challenge> challenges,
        AuthenticationHeaderValue? used,
        CancellationToken ct)
    {
        var turn = _turns[(uint)Key(host, scope).GetHashCode() % Turns];
        await turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            // Someone else's turn may have brought a new one.
            if (_headers.TryGetValue(Key(host, scope), out var known) && !ReferenceEquals(known.Header, used))
            {
                return known.Header;
            }

            var token = await AuthenticateAsync(host, scope, challenges, ct).ConfigureAwait(false);
            if (token is null)
            {
                _headers.TryRemove(Key(host, scope), out _);
                return null;
            }

            _headers[Key(host, scope)] = token;
            return token.Header;
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<BearerToken?> AuthenticateAsync(
        RegistryHost host, AccessScope scope, IReadOnlyList<Challenge> challenges, CancellationToken ct)
    {
        var credential = await CredentialAsync(host, scope.Repository, ct).ConfigureAwait(false);
        if (challenges.FirstOrDefault(static c => c.Is("Bearer")) is { } bearer)
        {
            // Only this repository's right is asked for, whatever scope the challenge names.
            return credential?.RegistryToken is { } fixedToken
                ? new BearerToken(new("Bearer", fixedToken), DateTimeOffset.MaxValue)
                : await _tokens.GetAsync(host, bearer, scope.ToScopes(), credential, ct)
                    .ConfigureAwait(false);
        }

        return challenges.Any(static c => c.Is("Basic")) && credential?.Basic() is { } basic
            ? new BearerToken(basic, DateTimeOffset.MaxValue)
            : null;
    }

    private async Task<Credential?> CredentialAsync(RegistryHost host, string repository, CancellationToken ct) => host switch
    {
        { OwnCredential: { } own } when options.UsesConfiguredCredentials => own,
        { CredentialHelper: { } helper } when options.UsesConfiguredCredentials =>
            await CredentialHelper.GetAsync(helper, host.CredentialKey, options, ct).ConfigureAwait(false),
        _ => await credentials.FindAsync(host.CredentialKey, repository, ct).ConfigureAwait(false),
    };

    private static (string Origin, string Scopes) Key(RegistryHost host, AccessScope scope) =>
        (host.Origin.AbsoluteUri, scope.ToString());
}
