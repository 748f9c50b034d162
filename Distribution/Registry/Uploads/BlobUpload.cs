using System.Globalization;
using System.Net;
using ImageStore.Distribution.Transfer;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Registry.Uploads;

/// <summary>One blob on its way to a registry.</summary>
/// <remarks>
/// It is sent in one request, which every registry understands. Where that breaks, what the registry kept is asked for
/// and the rest follows in chunks; where it is too long for the registry or a proxy, smaller chunks are sent; and where
/// a registry loses chunks, it is sent in one request again, into a new session.
/// </remarks>
internal sealed class BlobUpload(
    RepositoryAccess access, Descriptor blob, BlobOpener open, IProgress<long>? progress, UploadSession? session)
{
    // As for downloads: so much progress between two failures shows that the upload will end.
    private const long ProgressThatRenewsBudget = 1024 * 1024;
    private const long FirstChunkBytes = 64 * 1024 * 1024;
    private const long LeastChunkBytes = 1024 * 1024;
    private const string Octets = "application/octet-stream";

    private readonly RegistryOptions _options = access.Options;
    private UploadSession? _session = session;
    private bool _inChunks;
    private bool _chunksAreLost;
    private long _chunkBytes = FirstChunkBytes;
    private long _received;
    private long _receivedAtFailure;
    private int _failures;

    private string Subject => access.Subject(blob.Digest.ToString());

    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                _session ??= await OpenSessionAsync(ct).ConfigureAwait(false);
                if (await StepAsync(_session, ct).ConfigureAwait(false))
                {
                    progress?.Report(blob.Size);
                    return;
                }
            }
            catch (ImageStoreException failure) when (failure.Kind == ErrorKind.Unavailable && failure.InnerException is not null)
            {
                await RecoverAsync(failure, ct).ConfigureAwait(false);
            }
        }
    }

    private async Task<UploadSession> OpenSessionAsync(CancellationToken ct)
    {
        _received = 0;
        using var reply = await access.SendAsync(
            new RepositoryRequest(RegistryPurpose.Push, HttpMethod.Post, "blobs/uploads/")
            {
                Body = RequestBody.Empty, BodyLimit = CappedBody.MaxErrorBytes,
            },
            ct).ConfigureAwait(false);
        RepositoryAccess.ThrowUnlessSuccess(reply, Subject);
        return UploadSession.Of(reply, Subject, before: null);
    }

    /// <summary>Sends all, or one chunk, or the end; true when the blob is there.</summary>
    private async Task<bool> StepAsync(UploadSession session, CancellationToken ct)
    {
        if (!_inChunks)
        {
            using var whole = await SendAsync(session, HttpMethod.Put, session.Ending(blob.Digest.ToString()), Bytes(0, blob.Size), ct)
                .ConfigureAwait(false);
            return Finished(whole);
        }

        if (_received < blob.Size)
        {
            var length = Math.Min(Math.Max(_chunkBytes, session.MinChunkBytes), blob.Size - _received);
            var chunk = Bytes(_received, length) with
            {
                ContentRange = string.Create(CultureInfo.InvariantCulture, $"{_received}-{_received + length - 1}"),
            };
            using var taken = await SendAsync(session, HttpMethod.Patch, session.Location, chunk, ct).ConfigureAwait(false);
            await TakenAsync(session, taken, length, ct).ConfigureAwait(false);
            return false;
        }

        using var end = await SendAsync(session, HttpMethod.Put, session.Ending(blob.Digest.ToString()), RequestBody.Empty, ct)
            .ConfigureAwait(false);
        return Finished(end);
    }

    private async Task TakenAsync(UploadSession session, Reply reply, long sent, CancellationToken ct)
    {
        if (reply.Status == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // The registry has another count than we: it is asked, unless that was so before.
            Count(Refusal(reply));
            await AskAsync(session, ct).ConfigureAwait(false);
            return;
        }

        if (!reply.IsSuccess)
        {
            Refused(reply);
            return;
        }

        var received = UploadSession.Received(reply) ?? _received + sent;
        if (received <= _received || received > _received + sent)
        {
            LoseChunks(Refusal(reply));
            return;
        }

        _received = received;
        progress?.Report(_received);
        _session = UploadSession.Of(reply, Subject, session);
    }

    private bool Finished(Reply reply)
    {
        if (!reply.IsSuccess)
        {
            Refused(reply);
            return false;
        }

        // 202 to the end of an upload is what some registries say to a single POST only; the blob is not there then.
        if (reply.Status == HttpStatusCode.Accepted)
        {
            LoseChunks(Refusal(reply));
            return false;
        }

        return !Digest.TryParse(reply.Header("Docker-Content-Digest"), out var stored)
            || stored.Algorithm != blob.Digest.Algorithm
            || stored == blob.Digest
                ? true
                : throw new ImageStoreException(
                    ErrorKind.CorruptData,
                    $"{Subject}: the registry stored {stored} instead.",
                    "The registry or a proxy alters what is sent; ask its operator.");
    }

    private void Refused(Reply reply)
    {
        var refusal = Refusal(reply);
        switch ((int)reply.Status)
        {
            case 413:
                // nginx and some registries cap one request's body.
                var smaller = _inChunks ? _chunkBytes / 4 : Math.Min(FirstChunkBytes, blob.Size) / 4;
                if (_chunksAreLost || smaller < LeastChunkBytes || smaller < _session!.MinChunkBytes)
                {
                    throw refusal;
                }

                (_inChunks, _chunkBytes, _session) = (true, smaller, null);
                break;
            case 404:
                // The session is gone.
                Count(refusal);
                _session = null;
                break;
            case 400 when _inChunks:
                LoseChunks(refusal);
                break;
            case 408 or 429 or >= 500:
                // The transport left the repeat to us, since the session may have taken some of it.
                throw new ImageStoreException(ErrorKind.Unavailable, refusal.Message, refusal.Remedy, refusal);
            default:
                throw refusal;
        }
    }

    /// <summary>Some registries keep only the first chunk and say nothing: the whole is sent at once, into a new session.</summary>
    private void LoseChunks(ImageStoreException refusal)
    {
        if (_chunksAreLost || !_inChunks)
        {
            throw refusal;
        }

        (_chunksAreLost, _inChunks, _session) = (true, false, null);
    }

    private async Task RecoverAsync(ImageStoreException failure, CancellationToken ct)
    {
        Count(failure);
        var delay = _options.RetryDelay * (1 << Math.Min(_failures - 1, 16));
        await Task.Delay(delay < _options.MaxRetryDelay ? delay : _options.MaxRetryDelay, _options.Time, ct).ConfigureAwait(false);
        if (_session is { } session)
        {
            await AskAsync(session, ct).ConfigureAwait(false);
        }
    }

    private void Count(ImageStoreException failure)
    {
        if (_received - _receivedAtFailure >= ProgressThatRenewsBudget)
        {
            _failures = 0;
        }

        _receivedAtFailure = _received;
        if (_failures++ == _options.MaxRetries)
        {
            throw failure;
        }
    }

    /// <summary>Asks what the registry has of the upload, and goes on there; a session that it does not know is opened anew.</summary>
    private async Task AskAsync(UploadSession session, CancellationToken ct)
    {
        _session = null;
        if (_chunksAreLost)
        {
            // Bytes must not go into a session that had some before.
            return;
        }

        using var reply = await access.ContinueAsync(
            session.Reply,
            session.Location,
            new RepositoryRequest(RegistryPurpose.Push, HttpMethod.Get, string.Empty) { BodyLimit = CappedBody.MaxErrorBytes },
            ct).ConfigureAwait(false);
        if (reply.Status == HttpStatusCode.NoContent && UploadSession.Received(reply) is { } received
            && received > 0 && received <= blob.Size)
        {
            (_inChunks, _received, _session) = (true, received, UploadSession.Of(reply, Subject, session));
            progress?.Report(_received);
        }
    }

    private Task<Reply> SendAsync(UploadSession session, HttpMethod method, Uri address, RequestBody body, CancellationToken ct) =>
        access.ContinueAsync(
            session.Reply,
            address,
            new RepositoryRequest(RegistryPurpose.Push, method, string.Empty)
            {
                Body = body, Retry = false, BodyLimit = CappedBody.MaxErrorBytes,
            },
            ct);

    private RequestBody Bytes(long offset, long length) => new(Octets, length, async token =>
    {
        var source = await open(offset, token).ConfigureAwait(false);
        return progress is null ? source : new CountingStream(source, offset, progress);
    });

    private ImageStoreException Refusal(Reply reply) => ErrorReply.ToException(reply, Subject);
}
