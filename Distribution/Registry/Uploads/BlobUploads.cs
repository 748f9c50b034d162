using System.Collections.Concurrent;
using System.Net;
using ImageStore.Distribution.Transfer;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry.Uploads;

/// <summary>Brings blobs into one repository: looks first, mounts where it can, uploads the rest.</summary>
/// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#push">Distribution spec, push</see>.</remarks>
internal sealed class BlobUploads(RepositoryAccess access)
{
    // A mount that the registry did not do leaves a session, which the upload then uses.
    private readonly ConcurrentDictionary<Digest, UploadSession> _left = new();

    public async Task<bool> HasAsync(Descriptor blob, CancellationToken ct)
    {
        using var reply = await access.SendAsync(
            new RepositoryRequest(RegistryPurpose.Push, HttpMethod.Head, $"blobs/{blob.Digest}"), ct).ConfigureAwait(false);
        // Some registries answer 403 or 405 for what is not there; then it is sent.
        return reply.IsSuccess
            && (reply.Message.Content.Headers.ContentLength is not { } length || length == blob.Size || length == 0);
    }

    public async Task<bool> TryMountAsync(Descriptor blob, string fromRepository, CancellationToken ct)
    {
        var path = $"blobs/uploads/?mount={Uri.EscapeDataString(blob.Digest.ToString())}&from={Uri.EscapeDataString(fromRepository)}";
        try
        {
            using var reply = await access.SendAsync(
                new RepositoryRequest(RegistryPurpose.Push, HttpMethod.Post, path)
                {
                    Body = Transport.RequestBody.Empty, MountFrom = fromRepository, BodyLimit = Transport.CappedBody.MaxErrorBytes,
                },
                ct).ConfigureAwait(false);
            if (reply.Status == HttpStatusCode.Accepted && reply.Message.Headers.Location is not null)
            {
                _left[blob.Digest] = UploadSession.Of(reply, access.Subject(blob.Digest.ToString()), before: null);
            }

            return reply.Status == HttpStatusCode.Created;
        }
        catch (ImageStoreException refusal) when (refusal.Kind is ErrorKind.Unauthenticated or ErrorKind.PermissionDenied)
        {
            // No right to read there: the bytes are sent instead.
            return false;
        }
    }

    public async Task UploadAsync(Descriptor blob, BlobOpener open, IProgress<long>? progress, CancellationToken ct)
    {
        _left.TryRemove(blob.Digest, out var session);
        await new BlobUpload(access, blob, open, progress, session).RunAsync(ct).ConfigureAwait(false);
    }
}
