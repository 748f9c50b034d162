using System.Net;
using ImageStore.Distribution.Registry.Uploads;
using ImageStore.Distribution.Transfer;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>Reads and writes one repository of a registry.</summary>
public sealed class RepositoryClient : IDisposable
{
    private static readonly string s_accept = string.Join(", ", MediaTypes.Accepted);

    private readonly RepositoryAccess _access;

    private readonly BlobUploads _uploads;
    private readonly ReferrerList _referrers;
    private readonly ReferrerTag _referrerTag;

    internal RepositoryClient(RepositoryAccess access)
    {
        _access = access;
        _uploads = new BlobUploads(access);
        _referrers = new ReferrerList(access);
        _referrerTag = new ReferrerTag(access, _referrers);
    }

    /// <summary>The name that the repository was opened by.</summary>
    public ImageReference Reference => _access.Reference;

    /// <summary>What <paramref name="tagOrDigest"/> names now: one HEAD request where the registry plays along.</summary>
    /// <exception cref="ImageStoreException">There is no such manifest, or the registry fails.</exception>
    public async Task<Descriptor> ResolveAsync(string tagOrDigest, CancellationToken ct)
    {
        var subject = _access.Subject(tagOrDigest);
        using (var reply = await _access.SendAsync(
            new RepositoryRequest(RegistryPurpose.Resolve, HttpMethod.Head, ManifestPath(tagOrDigest)) { Accept = s_accept },
            ct).ConfigureAwait(false))
        {
            if (reply.Status != HttpStatusCode.MethodNotAllowed)
            {
                RepositoryAccess.ThrowUnlessSuccess(reply, subject);
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
        var subject = _access.Subject(tagOrDigest);
        using var reply = await _access.SendAsync(
            new RepositoryRequest(PurposeOf(tagOrDigest), HttpMethod.Get, ManifestPath(tagOrDigest))
            {
                Accept = s_accept,
                BodyLimit = OciLimits.MaxManifestBytes,
            },
            ct).ConfigureAwait(false);
        RepositoryAccess.ThrowUnlessSuccess(reply, subject);
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
                $"{_access.Subject(descriptor.Digest.ToString())}: size or media type differ from the descriptor's.",
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
    public async Task<RegistryBlobStream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, blob.Size);
        var stream = new BlobStream(_access, blob, offset, blob.Size);
        try
        {
            await stream.OpenAsync(ct).ConfigureAwait(false);
            return blob.Size - offset >= _access.Options.ParallelRangesFrom
                ? new ParallelBlobStream(_access, blob, stream)
                : stream;
        }
        catch (ImageStoreException e) when (e.Kind == ErrorKind.NotFound && MediaTypes.IsNonDistributable(blob.MediaType))
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"{_access.Subject(blob.Digest.ToString())} is a non-distributable layer that its registry does not hold.",
                "Push the layer to the registry; addresses outside of it are not followed.",
                e);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The endpoints that may be asked for blobs and of which it is sure who answers.</summary>
    public IReadOnlyCollection<string> SureEndpoints => _access.SureEndpoints;

    /// <summary>Asks whether the registry would serve a blob to these credentials.</summary>
    /// <returns>The endpoint that said so; null where none did of which it is sure who answers.</returns>
    /// <exception cref="ImageStoreException">The registry fails.</exception>
    public async Task<string?> WouldServeAsync(Descriptor blob, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(blob);
        using var reply = await _access.SendAsync(
            new RepositoryRequest(RegistryPurpose.Pull, HttpMethod.Head, $"blobs/{blob.Digest}"), ct).ConfigureAwait(false);
        return reply.IsSuccess && (reply.Message.Content.Headers.ContentLength ?? blob.Size) == blob.Size ? reply.Host?.SureEndpoint : null;
    }

    /// <summary>All tags, in the registry's order.</summary>
    /// <exception cref="ImageStoreException">The repository is missing, or the registry fails.</exception>
    public Task<IReadOnlyList<string>> ListTagsAsync(CancellationToken ct) => TagList.ReadAsync(_access, ct);

    /// <summary>The manifests whose subject is <paramref name="subject"/>, by the API or the tag schema.</summary>
    /// <param name="subject">What they are about.</param>
    /// <param name="artifactType">The one type that is wanted, or null for all.</param>
    /// <param name="ct">Ends the requests.</param>
    /// <exception cref="ImageStoreException">The registry fails.</exception>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, string? artifactType, CancellationToken ct) =>
        _referrers.ReadAsync(subject, artifactType, ct);

    /// <summary>Does the repository have the blob?</summary>
    /// <exception cref="ImageStoreException">The registry fails.</exception>
    public Task<bool> HasBlobAsync(Descriptor blob, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return _uploads.HasAsync(blob, ct);
    }

    /// <summary>Takes a blob over from another repository of the registry, without its bytes.</summary>
    /// <returns>Is it there now? Where not, it has to be uploaded.</returns>
    public Task<bool> TryMountAsync(Descriptor blob, string fromRepository, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return _uploads.TryMountAsync(blob, fromRepository, ct);
    }

    /// <summary>Uploads a blob; the registry verifies its digest.</summary>
    /// <exception cref="ImageStoreException">The registry refuses it, or the upload breaks too often.</exception>
    public Task PutBlobAsync(Descriptor blob, BlobOpener open, IProgress<long>? progress, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentNullException.ThrowIfNull(open);
        return _uploads.UploadAsync(blob, open, progress, ct);
    }

    /// <summary>Writes a manifest byte for byte under a tag, or under its digest; keeps the referrers' tag where the registry does not.</summary>
    /// <exception cref="ImageStoreException">The registry refuses it.</exception>
    public async Task PutManifestAsync(FetchedManifest manifest, string? tag, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var links = DocumentLinks.Parse(manifest.Bytes, manifest.Descriptor.MediaType);
        var known = await ManifestPut.SendAsync(
            _access, manifest.Bytes, manifest.Descriptor.MediaType, tag ?? manifest.Descriptor.Digest.ToString(), ct)
            .ConfigureAwait(false);
        if (links.Subject is { } subject && !known)
        {
            await _referrerTag.AddAsync(subject.Digest, manifest.Descriptor, links, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Deletes a manifest with all its tags, or where <paramref name="tagOrDigest"/> is a tag, that tag alone.</summary>
    /// <exception cref="ImageStoreException">It is not there, or the registry does not delete (<see cref="ErrorKind.Unsupported"/>).</exception>
    public async Task DeleteAsync(string tagOrDigest, CancellationToken ct)
    {
        var byDigest = Digest.TryParse(tagOrDigest, out var digest);
        var subject = byDigest ? await SubjectOfAsync(tagOrDigest, ct).ConfigureAwait(false) : null;
        using var reply = await _access.SendAsync(
            new RepositoryRequest(RegistryPurpose.Delete, HttpMethod.Delete, ManifestPath(tagOrDigest))
            {
                BodyLimit = CappedBody.MaxErrorBytes,
            },
            ct).ConfigureAwait(false);
        if ((int)reply.Status is 405 or 400 or 501)
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"{_access.Subject(tagOrDigest)}: the registry does not delete {(byDigest ? "manifests" : "tags")} (HTTP {(int)reply.Status}).",
                byDigest
                    ? "Ask the registry's operator to allow deletion."
                    : "Delete the manifest by its digest, which takes all its tags along, or ask the registry's operator.");
        }

        RepositoryAccess.ThrowUnlessSuccess(reply, _access.Subject(tagOrDigest));
        if (subject is not null
            && await _referrers.FromApiAsync(subject.Digest, null, ct).ConfigureAwait(false) is null)
        {
            await _referrerTag.RemoveAsync(subject.Digest, digest, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the use of it.</summary>
    public void Dispose() => _referrerTag.Dispose();

    private async Task<Descriptor?> SubjectOfAsync(string digest, CancellationToken ct)
    {
        try
        {
            var manifest = await FetchManifestAsync(digest, ct).ConfigureAwait(false);
            return DocumentLinks.Parse(manifest.Bytes, manifest.Descriptor.MediaType).Subject;
        }
        catch (ImageStoreException failure) when (failure.Kind is ErrorKind.CorruptData or ErrorKind.Unsupported or ErrorKind.LimitExceeded)
        {
            // What cannot be read is the first thing that somebody wants to delete.
            return null;
        }
    }

    private static RegistryPurpose PurposeOf(string tagOrDigest) =>
        Digest.TryParse(tagOrDigest, out _) ? RegistryPurpose.Pull : RegistryPurpose.Resolve;

    private static string ManifestPath(string tagOrDigest) =>
        Digest.TryParse(tagOrDigest, out _) || ReferenceGrammar.IsTag(tagOrDigest)
            ? $"manifests/{tagOrDigest}"
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"'{Printable.Of(tagOrDigest)}' is neither a tag nor a digest.");
}
