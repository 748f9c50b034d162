using System.Net;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>Reads one repository of a registry.</summary>
public sealed class RepositoryClient
{
    private static readonly string s_accept = string.Join(", ", MediaTypes.Accepted);

    private readonly RepositoryAccess _access;

    internal RepositoryClient(RepositoryAccess access) => _access = access;

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
    public async Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, blob.Size);
        var stream = new BlobStream(_access, blob, offset);
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

    private static RegistryPurpose PurposeOf(string tagOrDigest) =>
        Digest.TryParse(tagOrDigest, out _) ? RegistryPurpose.Pull : RegistryPurpose.Resolve;

    private static string ManifestPath(string tagOrDigest) =>
        Digest.TryParse(tagOrDigest, out _) || ReferenceGrammar.IsTag(tagOrDigest)
            ? $"manifests/{tagOrDigest}"
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"'{Printable.Of(tagOrDigest)}' is neither a tag nor a digest.");
}
