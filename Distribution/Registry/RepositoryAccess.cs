using System.Net;
using System.Net.Http.Headers;
using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Hosts;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Registry;

/// <summary>The way to one repository: which host is asked, with which credentials. All requests go through here.</summary>
internal sealed class RepositoryAccess
{
    private const int MaxAnswers = 2;

    private readonly HttpTransport _transport;
    private readonly Authenticator _authenticator;
    private readonly RegistryHost[] _hosts;

    /// <param name="reference">The repository.</param>
    /// <param name="hosts">The hosts in the order in which they are asked, at least one.</param>
    /// <param name="transport">Sends.</param>
    /// <param name="authenticator">Knows what to send along.</param>
    /// <param name="options">Deadlines and caps.</param>
    public RepositoryAccess(
        ImageReference reference,
        IReadOnlyList<RegistryHost> hosts,
        HttpTransport transport,
        Authenticator authenticator,
        RegistryOptions options)
    {
        (Reference, Options, _transport, _authenticator) = (reference, options, transport, authenticator);
        _hosts = [.. hosts];
    }

    public RegistryOptions Options { get; }

    public ImageReference Reference { get; }

    public HttpTransport Transport => _transport;

    /// <inheritdoc cref="RepositoryClient.SureEndpoints"/>
    public IReadOnlyCollection<string> SureEndpoints =>
        [.. _hosts.Where(host => host.Capabilities.HasFlag(HostCapabilities.Pull)).Select(host => host.SureEndpoint).OfType<string>()];

    /// <summary>Sends to one host after the other until one serves; where none does, what every one of them said is told.</summary>
    /// <returns>An answer of any status: a refusal that no other host can better, or what the only host said.</returns>
    /// <exception cref="ImageStoreException">No host serves; the message has each one's reason.</exception>
    public async Task<Reply> SendAsync(RepositoryRequest request, CancellationToken ct)
    {
        var candidates = Candidates(request.Purpose);
        var failures = new HostFailures(Reference, candidates.Count);
        for (var i = 0; i < candidates.Count; i++)
        {
            var last = i == candidates.Count - 1;
            try
            {
                var reply = await AskAsync(candidates[i], request, ct).ConfigureAwait(false);
                if (!HostFailures.CanOthersHelp(reply))
                {
                    _transport.Health.Served(_hosts[candidates[i]].Origin);
                    return reply;
                }

                if (last && failures.AllAre(reply.Status))
                {
                    return reply;
                }

                if (!last && (int)reply.Status is 429 or >= 500)
                {
                    _transport.Health.Failed(_hosts[candidates[i]].Origin);
                }

                failures.Add(_hosts[candidates[i]], reply);
                reply.Dispose();
            }
            catch (ImageStoreException failure) when (!last && HostFailures.CanOthersHelp(failure))
            {
                _transport.Health.Failed(_hosts[candidates[i]].Origin);
                failures.Add(_hosts[candidates[i]], failure);
            }
            catch (ImageStoreException failure) when (last && failures.Any && HostFailures.CanOthersHelp(failure))
            {
                failures.Add(_hosts[candidates[i]], failure);
            }
        }

        throw failures.ToException();
    }

    /// <summary>Sends to the address that an answer of a host named: an upload's Location, the next page's Link.</summary>
    /// <remarks>The address is taken as it is, with its query; credentials go along only within the same origin.</remarks>
    /// <param name="previous">The answer that named it.</param>
    /// <param name="location">The address, relative or absolute.</param>
    /// <param name="request">What to send; its path is not looked at.</param>
    /// <param name="ct">Ends the request.</param>
    public Task<Reply> ContinueAsync(Reply previous, Uri location, RepositoryRequest request, CancellationToken ct) =>
        AuthorizedAsync(previous.Host!, request, RedirectPolicy.Next(previous.RequestUri, location), ct);

    /// <summary>May one more repeat be made? All that ask the registry share the budget.</summary>
    public bool MayRepeat() => _transport.MayRepeat(_hosts[^1].Origin);

    /// <summary>Notes that a host broke off in the middle: where there are others, they are asked before it for a while.</summary>
    public void Distrust(Reply reply)
    {
        if (_hosts.Length > 1 && reply.Host is { } host)
        {
            _transport.Health.Failed(host.Origin);
        }
    }

    /// <summary>A tag or digest of the repository as messages name it.</summary>
    public string Subject(string identifier) =>
        $"{Reference.RepositoryName}{(identifier.Contains(':', StringComparison.Ordinal) ? '@' : ':')}{identifier}";

    /// <exception cref="ImageStoreException">The registry refused.</exception>
    public static void ThrowUnlessSuccess(Reply reply, string subject)
    {
        if (!reply.IsSuccess)
        {
            throw ErrorReply.ToException(reply, subject);
        }
    }

    // Places in _hosts, since a guess about one of them may be settled on the way.
    private List<int> Candidates(RegistryPurpose purpose)
    {
        var needed = purpose switch
        {
            RegistryPurpose.Resolve => HostCapabilities.Resolve,
            RegistryPurpose.Pull => HostCapabilities.Pull,

            // Files from before this capability name it for nobody.
            RegistryPurpose.Referrers => _hosts.Any(host => host.Capabilities.HasFlag(HostCapabilities.Referrers))
                ? HostCapabilities.Referrers
                : HostCapabilities.Pull,
            _ => HostCapabilities.Push,
        };
        var able = Enumerable.Range(0, _hosts.Length).Where(i => _hosts[i].Capabilities.HasFlag(needed)).ToList();
        return able.Count > 0
            ? [.. able.OrderBy(i => _transport.Health.IsAvoided(_hosts[i].Origin))]
            : throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"No host that is configured for {Printable.Of(Reference.Registry)} may {needed.ToString().ToLowerInvariant()}.",
                $"Look at {Printable.Of(_hosts[0].ConfiguredAt ?? "its hosts.toml")}; 'imagestore hosts explain {Reference.RepositoryName}' shows what is configured.");
    }

    private async Task<Reply> AskAsync(int index, RepositoryRequest request, CancellationToken ct)
    {
        var host = _hosts[index];
        var reply = await AuthorizedAsync(host, request, host.Address(Reference.Repository, request.Path), ct).ConfigureAwait(false);
        if (!host.IsGuess)
        {
            return reply;
        }

        if (!IsFromTlsServer(reply))
        {
            _hosts[index] = host with { IsGuess = false };
            return reply;
        }

        reply.Dispose();
        _hosts[index] = host.OverTls();
        return await AuthorizedAsync(
            _hosts[index], request, _hosts[index].Address(Reference.Repository, request.Path), ct).ConfigureAwait(false);
    }

    /// <summary>So do TLS servers answer to plain HTTP, in words of their own and never in a registry's JSON.</summary>
    public static bool IsFromTlsServer(Reply reply) =>
        reply.Status == HttpStatusCode.BadRequest
        && (reply.Body.IsEmpty
            ? reply.Message.RequestMessage?.Method == HttpMethod.Head
            : !reply.Body.Span.TrimStart(" \t\r\n"u8).StartsWith("{"u8));

    private async Task<Reply> AuthorizedAsync(RegistryHost host, RepositoryRequest asked, Uri uri, CancellationToken ct)
    {
        var request = new RegistryRequest(asked.Method, uri)
        {
            Host = host,
            Accept = asked.Accept,
            RangeFrom = asked.RangeFrom,
            RangeTo = asked.RangeTo,
            OwnConnection = asked.OwnConnection,
            BodyLimit = asked.BodyLimit,
            Body = asked.Body,
            Retry = asked.Retry,
        };
        if (!RedirectPolicy.SameOrigin(uri, host.Origin))
        {
            // Nothing of the host's goes to another: no credential, header or certificate.
            return await _transport.SendAsync(request with { Host = Elsewhere(host, uri) }, ct).ConfigureAwait(false);
        }

        var scope = new AccessScope(Reference.Repository, Actions(asked.Purpose), asked.MountFrom);
        var header = await _authenticator.HeaderAsync(host, scope, ct).ConfigureAwait(false);
        for (var answers = 0; ; answers++)
        {
            var reply = await _transport.SendAsync(request with { Authorization = header }, ct).ConfigureAwait(false);

            // Another host's 401 says nothing about our token for the registry.
            if (reply.Status != HttpStatusCode.Unauthorized || !RedirectPolicy.SameOrigin(reply.FinalUri, host.Origin)
                || !(answers == 0 || (answers < MaxAnswers && AsksForPassword(reply, header))))
            {
                return reply;
            }

            AuthenticationHeaderValue? answer;
            try
            {
                answer = await _authenticator.AnswerAsync(host, scope, reply, header, ct).ConfigureAwait(false);
            }
            catch
            {
                reply.Dispose();
                throw;
            }

            if (answer is null)
            {
                return reply;
            }

            reply.Dispose();
            header = answer;
        }
    }

    // Harbor does, where a token does not cover what is asked.
    private static bool AsksForPassword(Reply reply, AuthenticationHeaderValue? sent) =>
        sent?.Scheme == "Bearer" && Challenge.Parse(reply.Header("WWW-Authenticate")) is { Count: > 0 } challenges
        && challenges.All(challenge => challenge.Is("Basic"));

    private static RegistryHost Elsewhere(RegistryHost host, Uri uri) => new(host.Registry, new Uri(uri, "/"), IsGuess: false)
    {
        CredentialKey = uri.Authority, Tls = new TlsSettings { Authorities = host.Tls.Authorities }, MaxBytesPerSecond = host.MaxBytesPerSecond,
    };

    private static string Actions(RegistryPurpose purpose) => purpose switch
    {
        RegistryPurpose.Push => AccessScope.Push,
        RegistryPurpose.Delete => AccessScope.Delete,
        _ => AccessScope.Pull,
    };
}
