using Grpc.Core;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;
using ImageStore.Daemon.Protocol.ContentV1;

namespace ImageStore.Daemon.Api;

/// <summary>One call that writes a blob: messages that ask, append or commit, each with its answer.</summary>
/// <remarks>A call that ends without a commit leaves an ingest, which the next call with the same ref goes on with.</remarks>
internal sealed class ContentWriteCall(
    Tenant tenant, Lease? lease, IAsyncStreamReader<WriteContentRequest> requests, IServerStreamWriter<WriteContentResponse> answers)
{
    private readonly WriteContentResponse _answer = new();
    private long _total;
    private string _expected = string.Empty;

    /// <summary>Runs from the message that was read first to the commit or the last message.</summary>
    /// <returns>The blob, or null when none was committed.</returns>
    /// <exception cref="ImageStoreException">The blob is there (<see cref="ErrorKind.AlreadyExists"/>), the ingest has a writer
    /// (<see cref="ErrorKind.Unavailable"/>), or the bytes are not those that were announced (<see cref="ErrorKind.CorruptData"/>).</exception>
    public async Task<ContentInfo?> RunAsync(CancellationToken cancellationToken)
    {
        var first = requests.Current;
        if (first.Ref.Length == 0)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "The first message has to name the ingest.");
        }

        await RefuseKnownAsync(first, null, cancellationToken).ConfigureAwait(false);
        var algorithm = first.Expected.Length > 0 ? Digest.Parse(first.Expected).Algorithm : DigestAlgorithm.Sha256;
        var writer = await tenant.Content.OpenWriterAsync(first.Ref, first.Total, algorithm, cancellationToken).ConfigureAwait(false);
        await using var opened = writer.ConfigureAwait(false);
        if (lease is not null)
        {
            await tenant.Leases.AddAsync(lease, new LeaseResource("ingests", first.Ref), cancellationToken).ConfigureAwait(false);
        }

        do
        {
            var blob = await AnswerAsync(requests.Current, writer, cancellationToken).ConfigureAwait(false);
            await answers.WriteAsync(_answer, cancellationToken).ConfigureAwait(false);
            if (blob is not null)
            {
                return blob;
            }
        }
        while (await requests.MoveNext(cancellationToken).ConfigureAwait(false));
        return null;
    }

    private async Task<ContentInfo?> AnswerAsync(WriteContentRequest request, ContentWriter writer, CancellationToken cancellationToken)
    {
        await RefuseKnownAsync(request, writer, cancellationToken).ConfigureAwait(false);
        (_answer.Action, _answer.Offset) = (request.Action, writer.Offset);
        _total = request.Total > 0 ? request.Total : _total;
        switch (request.Action)
        {
            case WriteAction.Stat:
                var status = tenant.Content.FindIngest(writer.Ref);
                _answer.StartedAt = status?.StartedAt.ToWire();
                _answer.UpdatedAt = status?.UpdatedAt.ToWire();
                _answer.Total = _total;
                _answer.Digest = writer.CurrentDigest.ToString();
                return null;
            case WriteAction.Write or WriteAction.Commit:
                Append(request, writer);
                (_answer.Offset, _answer.Digest) = (writer.Offset, writer.CurrentDigest.ToString());
                return request.Action == WriteAction.Commit ? await CommitAsync(request, writer, cancellationToken).ConfigureAwait(false) : null;
            default:
                throw new ImageStoreException(ErrorKind.InvalidArgument, $"There is no action {(int)request.Action}.");
        }
    }

    private static void Append(WriteContentRequest request, ContentWriter writer)
    {
        if (request.Offset == 0 && writer.Offset > 0)
        {
            writer.Restart();
        }
        else if (request.Offset != writer.Offset && request.Offset != 0)
        {
            throw new RpcException(new Grpc.Core.Status(
                StatusCode.OutOfRange, $"The ingest has {writer.Offset} bytes, and the message's are for {request.Offset}."));
        }

        if (request.Data.Length > 0)
        {
            writer.Write(request.Data.Span);
        }
    }

    private async Task<ContentInfo> CommitAsync(WriteContentRequest request, ContentWriter writer, CancellationToken cancellationToken)
    {
        var digest = _expected.Length > 0 ? Digest.Parse(_expected) : writer.CurrentDigest;
        if (_expected.Length == 0)
        {
            await RefuseKnownAsync(digest, writer, cancellationToken).ConfigureAwait(false);
        }

        var blob = new Descriptor { MediaType = MediaTypes.OctetStream, Digest = digest, Size = _total > 0 ? _total : writer.Offset };
        return await writer.CommitAsync(blob, request.Labels, lease, cancellationToken).ConfigureAwait(false);
    }

    private async Task RefuseKnownAsync(WriteContentRequest request, ContentWriter? writer, CancellationToken cancellationToken)
    {
        if (request.Expected.Length == 0)
        {
            return;
        }

        _expected = request.Expected;
        var digest = Digest.Parse(_expected);
        await RefuseKnownAsync(digest, writer, cancellationToken).ConfigureAwait(false);
        if (writer is null && request.Total > 0)
        {
            // Where namespaces share, its bytes need not be sent.
            var blob = new Descriptor { MediaType = MediaTypes.OctetStream, Digest = digest, Size = request.Total };
            if (await tenant.Content.AdoptAsync(blob, BlobProof.None, request.Labels, lease, cancellationToken).ConfigureAwait(false) is not null)
            {
                throw Known(digest);
            }
        }
    }

    private async Task RefuseKnownAsync(Digest digest, ContentWriter? writer, CancellationToken cancellationToken)
    {
        if (tenant.Content.Find(digest) is null)
        {
            return;
        }

        if (lease is not null)
        {
            // Whoever keeps it otherwise may let go while this caller relies on it.
            await tenant.Leases.AddAsync(lease, new LeaseResource("content", digest.ToString()), cancellationToken).ConfigureAwait(false);
        }

        writer?.Abort();
        throw Known(digest);
    }

    private static ImageStoreException Known(Digest digest) => new(ErrorKind.AlreadyExists, $"The blob {digest} is there already.");
}
