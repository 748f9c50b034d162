using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry;

/// <summary>Sends a manifest's exact bytes.</summary>
/// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests">Distribution spec, pushing manifests</see>.</remarks>
internal static class ManifestPut
{
    /// <returns>Did the registry take note of the manifest's subject?</returns>
    public static async Task<bool> SendAsync(
        RepositoryAccess access, ReadOnlyMemory<byte> bytes, string mediaType, string tagOrDigest, CancellationToken ct)
    {
        var subject = access.Subject(tagOrDigest);
        using var reply = await access.SendAsync(
            new RepositoryRequest(RegistryPurpose.Push, HttpMethod.Put, $"manifests/{tagOrDigest}")
            {
                Body = RequestBody.Of(bytes, mediaType), BodyLimit = CappedBody.MaxErrorBytes,
            },
            ct).ConfigureAwait(false);
        RepositoryAccess.ThrowUnlessSuccess(reply, subject);
        if (Digest.TryParse(reply.Header("Docker-Content-Digest"), out var stored)
            && stored != Digest.Compute(bytes.Span, stored.Algorithm))
        {
            throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"{subject}: the registry stored {stored}, which are other bytes than were sent.",
                "The registry or a proxy alters manifests; ask its operator.");
        }

        return reply.Header("OCI-Subject") is not null;
    }
}
