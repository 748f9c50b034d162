using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Filters;
using ImageStore.Daemon.Protocol.Happened;
using ImageStore.Engine.Serving;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using V1 = ImageStore.Daemon.Protocol.ContentV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.content.v1</c>: each namespace sees its own blobs alone.</summary>
internal sealed class ContentService(ServedStore store, Tenants tenants, EventHub events) : V1.Content.ContentBase
{
    public override Task<V1.InfoResponse> Info(V1.InfoRequest request, ServerCallContext context)
    {
        var digest = Digest.Parse(request.Digest);
        var found = tenants.Of(context).Content.Find(digest) ?? throw Missing(digest);
        return Task.FromResult(new V1.InfoResponse { Info = ToWire(found) });
    }

    public override async Task<V1.UpdateResponse> Update(V1.UpdateRequest request, ServerCallContext context)
    {
        var info = request.Info ?? throw new ImageStoreException(ErrorKind.InvalidArgument, "The request names no blob.");
        var update = FieldPaths.ToLabels(request.UpdateMask, info.Labels, "a blob");
        var updated = await tenants.Of(context).Content.UpdateLabelsAsync(Digest.Parse(info.Digest), update, context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: false);
        return new V1.UpdateResponse { Info = ToWire(updated) };
    }

    public override async Task List(
        V1.ListContentRequest request, IServerStreamWriter<V1.ListContentResponse> responseStream, ServerCallContext context)
    {
        var filter = Filter.Parse(request.Filters);
        foreach (var batch in tenants.Of(context).Content.List().Where(blob => filter.Matches(FieldsOf(blob))).Chunk(DaemonLimits.ListBatch))
        {
            await responseStream.WriteAsync(new V1.ListContentResponse { Info = { batch.Select(ToWire) } }, context.CancellationToken).ConfigureAwait(false);
        }
    }

    public override async Task<Empty> Delete(V1.DeleteContentRequest request, ServerCallContext context)
    {
        var digest = Digest.Parse(request.Digest);
        var tenant = tenants.Of(context);
        await tenant.Content.RemoveAsync(digest, context.CancellationToken).ConfigureAwait(false);
        events.Publish(tenant.Namespace, Topics.ContentDelete, new ContentDelete { Digest = digest.ToString() });
        store.Changed(deletion: true);
        return new Empty();
    }

    public override async Task Read(
        V1.ReadContentRequest request, IServerStreamWriter<V1.ReadContentResponse> responseStream, ServerCallContext context)
    {
        var stream = tenants.Of(context).Content.OpenRead(Digest.Parse(request.Digest));
        await using var opened = stream.ConfigureAwait(false);
        var offset = Math.Max(request.Offset, 0);
        if (offset > stream.Length)
        {
            throw new RpcException(new Status(StatusCode.OutOfRange, $"The blob {request.Digest} has {stream.Length} bytes, and {offset} is beyond."));
        }

        stream.Position = offset;
        var left = request.Size <= 0 || request.Size > stream.Length - offset ? stream.Length - offset : request.Size;
        var buffer = ArrayPool<byte>.Shared.Rent(DaemonLimits.ReadChunkBytes);
        try
        {
            // containerd counts from where the reading began.
            for (var sent = 0L; sent < left;)
            {
                var wanted = (int)Math.Min(DaemonLimits.ReadChunkBytes, left - sent);
                await stream.ReadExactlyAsync(buffer.AsMemory(0, wanted), context.CancellationToken).ConfigureAwait(false);

                // A message that is written has left the buffer.
                var piece = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, wanted));
                await responseStream.WriteAsync(new V1.ReadContentResponse { Offset = sent, Data = piece }, context.CancellationToken).ConfigureAwait(false);
                sent += wanted;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public override Task<V1.StatusResponse> Status(V1.StatusRequest request, ServerCallContext context) => Task.FromResult(
        new V1.StatusResponse
        {
            Status = ToWire(tenants.Of(context).Content.FindIngest(request.Ref) ?? throw new ImageStoreException(
                ErrorKind.NotFound, $"There is no ingest {Printable.Of(request.Ref)}.")),
        });

    public override Task<V1.ListStatusesResponse> ListStatuses(V1.ListStatusesRequest request, ServerCallContext context)
    {
        var filter = Filter.Parse(request.Filters);
        var found = tenants.Of(context).Content.ListIngests().Where(ingest => filter.Matches(FieldsOf(ingest)));
        return Task.FromResult(new V1.ListStatusesResponse { Statuses = { found.Select(ToWire) } });
    }

    public override async Task Write(
        IAsyncStreamReader<V1.WriteContentRequest> requestStream,
        IServerStreamWriter<V1.WriteContentResponse> responseStream,
        ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "The first message has to name the ingest.");
        }

        var tenant = await tenants.ForWritingAsync(context).ConfigureAwait(false);
        var call = new ContentWriteCall(tenant, Tenants.LeaseOf(context, tenant), requestStream, responseStream);
        if (await call.RunAsync(context.CancellationToken).ConfigureAwait(false) is { } blob)
        {
            events.Publish(tenant.Namespace, Topics.ContentCreate, new ContentCreate { Digest = blob.Digest.ToString(), Size = blob.Size });
            store.Changed(deletion: false);
        }
    }

    public override Task<Empty> Abort(V1.AbortRequest request, ServerCallContext context)
    {
        tenants.Of(context).Content.AbortIngest(request.Ref);
        return Task.FromResult(new Empty());
    }

    internal static FieldLookup FieldsOf(ContentInfo blob) => (IReadOnlyList<string> path, out string value) => path[0] switch
    {
        "digest" => Fields.Always(blob.Digest.ToString(), out value),
        "labels" => Fields.Label(path, blob.Labels, out value),
        _ => Fields.None(out value),
    };

    private static FieldLookup FieldsOf(IngestStatus ingest) => (IReadOnlyList<string> path, out string value) =>
        path[0] == "ref" ? Fields.Always(ingest.Ref, out value) : Fields.None(out value);

    private static ImageStoreException Missing(Digest digest) => new(ErrorKind.NotFound, $"There is no blob {digest} in this namespace.");

    private static V1.Info ToWire(ContentInfo blob)
    {
        var told = new V1.Info
        {
            Digest = blob.Digest.ToString(), Size = blob.Size, CreatedAt = blob.CreatedAt.ToWire(), UpdatedAt = blob.UpdatedAt.ToWire(),
        };
        blob.Labels.AddTo(told.Labels);
        return told;
    }

    private static V1.Status ToWire(IngestStatus ingest) => new()
    {
        Ref = ingest.Ref,
        Offset = ingest.Offset,
        Total = ingest.Total,
        StartedAt = ingest.StartedAt.ToWire(),
        UpdatedAt = ingest.UpdatedAt.ToWire(),
    };
}
