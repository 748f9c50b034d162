using System.Net;
using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Registry;

/// <summary>The way to one repository: which host is asked, with which credentials. All requests go through here.</summary>
internal sealed class RepositoryAccess(
    ImageReference reference,
    RegistryHost host,
    HttpTransport transport,
    Authenticator authenticator,
    RegistryOptions options)
{
    private RegistryHost _host = host;

    public RegistryOptions Options { get; } = options;

    public ImageReference Reference { get; } = reference;

    /// <summary>Sends to the first host that serves; any status may come back.</summary>
    public async Task<Reply> SendAsync(RepositoryRequest request, CancellationToken ct)
    {
        var reply = await AuthorizedAsync(request, Address(request.Path), ct).ConfigureAwait(false);
        if (!_host.IsGuess)
        {
            return reply;
        }

        if (reply.Status != HttpStatusCode.BadRequest)
        {
            _host = _host with { IsGuess = false };
            return reply;
        }

        // So do TLS servers answer to plain HTTP.
        reply.Dispose();
        _host = _host.OverTls();
        return await AuthorizedAsync(request, Address(request.Path), ct).ConfigureAwait(false);
    }

    /// <summary>Sends to the address that an answer of the same host named: an upload's Location, the next page's Link.</summary>
    /// <remarks>The address is taken as it is, with its query; credentials go along only within the same origin.</remarks>
    /// <param name="previous">The answer that named it.</param>
    /// <param name="location">The address, relative or absolute.</param>
    /// <param name="request">What to send; its path is not looked at.</param>
    /// <param name="ct">Ends the request.</param>
    public Task<Reply> ContinueAsync(Reply previous, Uri location, RepositoryRequest request, CancellationToken ct) =>
        AuthorizedAsync(request, RedirectPolicy.Next(previous.RequestUri, location), ct);

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

    private async Task<Reply> AuthorizedAsync(RepositoryRequest asked, Uri uri, CancellationToken ct)
    {
        var request = new RegistryRequest(asked.Method, uri)
        {
            Accept = asked.Accept,
            RangeFrom = asked.RangeFrom,
            RangeTo = asked.RangeTo,
            BodyLimit = asked.BodyLimit,
            Body = asked.Body,
            Retry = asked.Retry,
        };
        if (!RedirectPolicy.SameOrigin(uri, _host.Origin))
        {
            return await transport.SendAsync(request, ct).ConfigureAwait(false);
        }

        var scope = new AccessScope(Reference.Repository, Actions(asked.Purpose), asked.MountFrom);
        var header = await authenticator.HeaderAsync(_host, scope, ct).ConfigureAwait(false);
        var reply = await transport.SendAsync(request with { Authorization = header }, ct).ConfigureAwait(false);
        // Another host's 401 says nothing about our token for the registry.
        if (reply.Status != HttpStatusCode.Unauthorized || !RedirectPolicy.SameOrigin(reply.FinalUri, _host.Origin))
        {
            return reply;
        }

        System.Net.Http.Headers.AuthenticationHeaderValue? answer;
        try
        {
            answer = await authenticator.AnswerAsync(_host, scope, reply, header, ct).ConfigureAwait(false);
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
        return await transport.SendAsync(request with { Authorization = answer }, ct).ConfigureAwait(false);
    }

    private static string Actions(RegistryPurpose purpose) => purpose switch
    {
        RegistryPurpose.Push => AccessScope.Push,
        RegistryPurpose.Delete => AccessScope.Delete,
        _ => AccessScope.Pull,
    };

    private Uri Address(string path) => new(_host.Origin, $"/v2/{Reference.Repository}/{path}");
}
