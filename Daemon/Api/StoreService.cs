using Grpc.Core;
using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Events;
using ImageStore.Daemon.Protocol.StoreV1;
using ImageStore.Daemon.Streaming;
using ImageStore.Daemon.Transfers;
using ImageStore.Engine.Serving;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Daemon.Api;

/// <summary><c>imagestore.services.store.v1</c>: what our own command asks beyond containerd's services.</summary>
internal sealed class StoreService(ServedStore store, Tenants tenants, StreamTable streams, EventHub events)
    : Protocol.StoreV1.Store.StoreBase
{
    // Some 100 bytes each; a message of them stays far below its limit.
    private const int RemovedBatch = 1000;

    public override async Task Pull(IAsyncStreamReader<PullMessage> requestStream, IServerStreamWriter<PullEvent> responseStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false) || requestStream.Current.Request is not { } request)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, "The first message of a pull has to say what to pull.");
        }

        var tenant = await tenants.ForWritingAsync(context).ConfigureAwait(false);
        var transfer = new TransferContext(store, tenant, Caller.Of(context), streams, events, string.Empty);
        using var conversation = new PullConversation(requestStream, responseStream);
        await OwnPull.RunAsync(transfer, request, conversation, context.CancellationToken).ConfigureAwait(false);
    }

    public override Task<FindResponse> Find(FindRequest request, ServerCallContext context)
    {
        var naming = store.Naming(tenants.Of(context).Namespace);
        return Task.FromResult(new FindResponse
        {
            Images = { TransferContext.Checked(request.References).Select(naming.Find).DistinctBy(image => image.Name).Select(ToWire) },
        });
    }

    public override async Task<TagResponse> Tag(TagRequest request, ServerCallContext context)
    {
        var tenant = tenants.Of(context);
        var tagged = await store.Naming(tenant.Namespace).TagAsync(request.Source, request.Target, context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: false);
        if (tagged.CreatedAt == tagged.UpdatedAt)
        {
            events.PublishCreated(tenant.Namespace, tagged);
        }
        else
        {
            events.PublishUpdated(tenant.Namespace, tagged);
        }

        return new TagResponse { Image = ToWire(tagged) };
    }

    public override async Task<PinResponse> Pin(PinRequest request, ServerCallContext context)
    {
        var tenant = tenants.Of(context);
        var image = await store.Naming(tenant.Namespace).PinAsync(request.Reference, request.Pinned, context.CancellationToken).ConfigureAwait(false);
        store.Changed(deletion: false);
        events.PublishUpdated(tenant.Namespace, image);
        return new PinResponse();
    }

    public override async Task<RemoveResponse> Remove(RemoveRequest request, ServerCallContext context)
    {
        var tenant = tenants.Of(context);
        await store.Naming(tenant.Namespace).RemoveAsync(request.Name, Digest.Parse(request.Digest), context.CancellationToken).ConfigureAwait(false);
        events.PublishDeleted(tenant.Namespace, request.Name);

        // As one change among others: else what the command is to tell of is gone before it asks.
        store.Changed(deletion: false);
        return new RemoveResponse();
    }

    public override async Task Collect(CollectRequest request, IServerStreamWriter<CollectResponse> responseStream, ServerCallContext context)
    {
        var report = await store.CollectAndTellAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (var batch in report.Removed.Chunk(RemovedBatch))
        {
            var removed = batch.Select(one => new Removed { Kind = one.Kind.ToString(), Namespace = one.Namespace, Key = one.Key });
            await responseStream.WriteAsync(new CollectResponse { Removed = { removed } }, context.CancellationToken).ConfigureAwait(false);
        }

        var summary = new CollectSummary { Kept = report.Kept, FreedBytes = report.FreedBytes, StrayFiles = report.StrayFiles, Ingests = report.Ingests };
        await responseStream.WriteAsync(new CollectResponse { Summary = summary }, context.CancellationToken).ConfigureAwait(false);
    }

    public override async Task<NamespaceResponse> CreateNamespace(CreateNamespaceRequest request, ServerCallContext context)
    {
        var quota = new NamespaceQuota(ValueOf(request.Bytes), ImagesOf(request.Images));
        var made = await store.Namespaces.CreateAsync(request.Namespace, request.Labels, quota, context.CancellationToken).ConfigureAwait(false);
        events.PublishCreated(made);
        return ToWire(made);
    }

    public override async Task<NamespaceResponse> Limit(LimitRequest request, ServerCallContext context)
    {
        var change = new QuotaChange(request.Bytes is not null, ValueOf(request.Bytes), request.Images is not null, ImagesOf(request.Images));
        return ToWire(await store.Namespaces.ChangeQuotaAsync(request.Namespace, change, context.CancellationToken).ConfigureAwait(false));
    }

    private static NamespaceResponse ToWire(NamespaceRecord record)
    {
        var told = new NamespaceResponse { CreatedAt = record.CreatedAt.ToWire(), Bytes = ToWire(record.Quota.Bytes), Images = ToWire(record.Quota.Images) };
        record.Labels.AddTo(told.Labels);
        return told;
    }

    private static int? ImagesOf(Limited? limit) => ValueOf(limit) is { } value and > int.MaxValue
        ? throw new ImageStoreException(ErrorKind.InvalidArgument, $"{value} is no number of images.", $"At most {int.MaxValue} can be a limit.")
        : (int?)ValueOf(limit);

    private static Image ToWire(ImageRecord image)
    {
        var told = new Image
        {
            Name = image.Name,
            Target = image.Target.ToWire(),
            CreatedAt = image.CreatedAt.ToWire(),
            UpdatedAt = image.UpdatedAt.ToWire(),
            UsedAt = image.UsedAt.ToWire(),
        };
        image.Labels.AddTo(told.Labels);
        return told;
    }

    private static long? ValueOf(Limited? limit) => limit is { HasValue: true } ? limit.Value : null;

    private static Limited ToWire(long? limit)
    {
        var told = new Limited();
        if (limit is { } value)
        {
            told.Value = value;
        }

        return told;
    }
}
