using System.Net;
using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>Reads one repository of a registry.</summary>
public sealed class RepositoryClient
{
    private static readonly string s_accept = string.Join(", ", MediaTypes.Accepted);

    private readonly ImageReference _reference;
    private RegistryHost _host;
    private readonly HttpTransport _transport;
    private readonly Authenticator _authenticator;

    internal RepositoryClient(
        ImageReference reference,
        RegistryHost host,
        HttpTransport transport,
        Authenticator authenticator,
        RegistryOptions options)
    {
        _reference = reference;
        _host = host;
        _transport = transport;
        _authenticator = authenticator;
        Options = options;
    }

    internal RegistryOptions Options { get; }

    /// <summary>What <paramref name="tagOrDigest"/> names now: one HEAD request where the registry plays along.</summary>
    /// <exception cref="ImageStoreException">There is no such manifest, or the registry fails.</exception>
    public async Task<Descriptor> ResolveAsync(string tagOrDigest, CancellationToken ct)
    {
        var subject = Subject(tagOrDigest);
        using (var reply = await SendAsync(
            new RegistryRequest(HttpMethod.Head, ManifestUri(tagOrDigest)) { Accept = s_accept }, ct).ConfigureAwait(false))
        {
            if (reply.Status != HttpStatusCode.MethodNotAllowed)
            {
                ThrowUnlessSuccess(reply, subject);
                if (ManifestReply.FromHead(reply, tagOrDigest) is { } descriptor)
                {
                    return descriptor;
                }
            }
        }

        return (await FetchManifestAsync(tagOrDigest, ct).ConfigureAwait(false)).Descriptor;
    }

    /// <summary>The manifest that <paramref name="tagOrDigest"/> names; a digest is verified.</summary>
    /// <exception cref="ImageStoreException">It is missing, too long, corrupt, or the registry fails.</exception>
    public async Task<FetchedManifest> FetchManifestAsync(string tagOrDigest, CancellationToken ct)
    {
        var subject = Subject(tagOrDigest);
        using var reply = await SendAsync(
            new RegistryRequest(HttpMethod.Get, ManifestUri(tagOrDigest))
            {
                Accept = s_accept,
                BodyLimit = OciLimits.MaxManifestBytes,
            },
            ct).ConfigureAwait(false);
        ThrowUnlessSuccess(reply, subject);
        return ManifestReply.FromGet(reply, tagOrDigest, subject);
    }

    /// <summary>The manifest of <paramref name="descriptor"/>, whose size and type must agree with it.</summary>
    /// <exception cref="ImageStoreException">It is missing, too long, corrupt, or the registry fails.</exception>
    public async Task<FetchedManifest> FetchManifestAsync(Descriptor descriptor, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        var fetched = await FetchManifestAsync(descriptor.Digest.ToString(), ct).ConfigureAwait(false);
        if (fetched.Descriptor.Size != descriptor.Size || fetched.Descriptor.MediaType != descriptor.MediaType)
        {
            throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"{Subject(descriptor.Digest.ToString())}: size or media type differ from the descriptor's.",
                "Ask the image's publisher to push it again.");
        }

        return fetched;
    }

    /// <summary>The bytes of <paramref name="blob"/> from <paramref name="offset"/> on.</summary>
    /// <remarks>
    /// The stream takes up broken downloads by itself and ends exactly at the blob's size. It does not verify the
    /// digest: the reader hashes. Foreign <c>urls</c> are never followed.
    /// </remarks>
    /// <exception cref="ImageStoreException">The blob is missing, or the registry fails.</exception>
    public async Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, blob.Size);
        var stream = new BlobStream(this, blob, offset);
        try
        {
            await stream.OpenAsync(ct).ConfigureAwait(false);
            return stream;
        }
        catch (ImageStoreException e) when (e.Kind == ErrorKind.NotFound && MediaTypes.IsNonDistributable(blob.MediaType))
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"{Subject(blob.Digest.ToString())} is a non-distributable layer that its registry does not hold.",
                "Push the layer to the registry; addresses outside of it are not followed.",
                e);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    internal Task<Reply> OpenBlobAtAsync(Digest digest, long from, CancellationToken ct) => SendAsync(
        new RegistryRequest(HttpMethod.Get, Address($"blobs/{digest}")) { RangeFrom = from }, ct);

    internal string Subject(string identifier) =>
        $"{_reference.RepositoryName}{(identifier.Contains(':', StringComparison.Ordinal) ? '@' : ':')}{identifier}";

    internal static void ThrowUnlessSuccess(Reply reply, string subject)
    {
        if (!reply.IsSuccess)
        {
            throw ErrorReply.ToException(reply, subject);
        }
    }

    private async Task<Reply> SendAsync(RegistryRequest request, CancellationToken ct)
    {
        var reply = await AuthorizedAsync(request, ct).ConfigureAwait(false);
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
        return await AuthorizedAsync(
            request with { Uri = new Uri(_host.Origin, request.Uri.PathAndQuery) }, ct).ConfigureAwait(false);
    }

    private async Task<Reply> AuthorizedAsync(RegistryRequest request, CancellationToken ct)
    {
        var repository = _reference.Repository;
        var header = await _authenticator.HeaderAsync(_host, repository, ct).ConfigureAwait(false);
        var reply = await _transport.SendAsync(request with { Authorization = header }, ct).ConfigureAwait(false);
        // Another host's 401 says nothing about our token for the registry.
        if (reply.Status != HttpStatusCode.Unauthorized || !RedirectPolicy.SameOrigin(reply.FinalUri, _host.Origin))
        {
            return reply;
        }

        System.Net.Http.Headers.AuthenticationHeaderValue? answer;
        try
        {
            answer = await _authenticator.AnswerAsync(_host, repository, reply, header, ct).ConfigureAwait(false);
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
        return await _transport.SendAsync(request with { Authorization = answer }, ct).ConfigureAwait(false);
    }

    private Uri ManifestUri(string tagOrDigest) =>
        Digest.TryParse(tagOrDigest, out _) || ReferenceGrammar.IsTag(tagOrDigest)
            ? Address($"manifests/{tagOrDigest}")
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"'{Printable.Of(tagOrDigest)}' is neither a tag nor a digest.");

    private Uri Address(string rest) => new(_host.Origin, $"/v2/{_reference.Repository}/{rest}");
}
