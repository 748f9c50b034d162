using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Protocol.ContentV1;
using ImageStore.Daemon.Protocol.LeasesV1;
using ImageStore.Daemon.Protocol.NamespacesV1;
using ImageStore.Daemon.Protocol.StoreV1;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine;
using ImageStore.Gc;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;
using ImageStore.Store.Resources;
using Gone = ImageStore.Store.Resources.Resource;
using Holding = ImageStore.Store.Leases.Lease;
using Leased = ImageStore.Daemon.Protocol.LeasesV1.Lease;
using Own = ImageStore.Daemon.Protocol.StoreV1.Store;
using Pulled = ImageStore.Engine.Pull.PullResult;
using Wanted = ImageStore.Engine.Pull.PullRequest;

namespace ImageStore.Cli.Root;

/// <summary>A root that a daemon serves, which does what it is asked.</summary>
internal sealed class ServedChanges(DaemonConnection daemon, EngineOptions options) : IRootChanges
{
    private const int FindBatch = 1000;

    private readonly Own.StoreClient _own = new(daemon.Invoker);
    private readonly Leases.LeasesClient _leases = new(daemon.Invoker);
    private readonly Namespaces.NamespacesClient _namespaces = new(daemon.Invoker);

    public Task<Pulled> PullAsync(Wanted request, TransferProgress progress, CancellationToken cancellationToken) =>
        daemon.CallAsync(() => new ServedPull(options.Registry, progress).RunAsync(daemon, request, cancellationToken), cancellationToken);

    public async Task<IReadOnlyList<ImageRecord>> FindImagesAsync(IEnumerable<string> references, CancellationToken cancellationToken)
    {
        List<ImageRecord> found = [];
        foreach (var some in references.Chunk(FindBatch))
        {
            var answer = await AskAsync(
                _own.FindAsync(new FindRequest { References = { some } }, daemon.Headers, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
            found.AddRange(answer.Images.Select(Of));
        }

        return [.. found.DistinctBy(image => image.Name)];
    }

    public async Task<ImageRecord> TagAsync(string source, string target, CancellationToken cancellationToken)
    {
        var request = new TagRequest { Source = source, Target = target };
        return Of((await AskAsync(_own.TagAsync(request, daemon.Headers, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false)).Image);
    }

    public Task PinAsync(string name, bool pinned, CancellationToken cancellationToken) => AskAsync(
        _own.PinAsync(new PinRequest { Reference = name, Pinned = pinned }, daemon.Headers, cancellationToken: cancellationToken), cancellationToken);

    public Task RemoveImageAsync(ImageRecord image, CancellationToken cancellationToken) => AskAsync(
        _own.RemoveAsync(new RemoveRequest { Name = image.Name, Digest = image.Target.Digest.ToString() }, daemon.Headers, cancellationToken: cancellationToken), cancellationToken);

    public Task<CollectionReport> CollectAsync(CancellationToken cancellationToken) => daemon.CallAsync(
        async () =>
        {
            using var call = _own.Collect(new CollectRequest(), daemon.Headers, cancellationToken: cancellationToken);
            List<Gone> removed = [];
            var summary = new CollectSummary();
            while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
            {
                var part = call.ResponseStream.Current;
                removed.AddRange(part.Removed.Where(one => WireNames.Find<ResourceKind>(one.Kind) is not null)
                    .Select(one => new Gone(WireNames.Find<ResourceKind>(one.Kind)!.Value, one.Namespace, one.Key)));
                summary = part.Summary ?? summary;
            }

            return new CollectionReport(DryRun: false, removed, summary.Kept, summary.FreedBytes, summary.StrayFiles, summary.Ingests);
        },
        cancellationToken);

    public Task RemoveBlobAsync(Digest digest, CancellationToken cancellationToken) => AskAsync(
        new Content.ContentClient(daemon.Invoker).DeleteAsync(
            new DeleteContentRequest { Digest = digest.ToString() }, daemon.Headers, cancellationToken: cancellationToken),
        cancellationToken);

    public async Task<IReadOnlyList<Holding>> LeasesAsync(CancellationToken cancellationToken) =>
        [.. (await AskAsync(_leases.ListAsync(new Daemon.Protocol.LeasesV1.ListRequest(), daemon.Headers, cancellationToken: cancellationToken), cancellationToken)
            .ConfigureAwait(false)).Leases.Select(Of)];

    public async Task<Holding> CreateLeaseAsync(
        string id, TimeSpan? lifetime, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var request = new CreateRequest { Id = id };
        request.Labels.Add(labels.ToDictionary());
        if (lifetime is { } span)
        {
            request.Labels[Labels.Expire] = Labels.TimeText(options.Time.GetUtcNow() + span);
        }

        return Of((await AskAsync(_leases.CreateAsync(request, daemon.Headers, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false)).Lease);
    }

    public Task KeepAsync(Holding lease, LeaseResource resource, CancellationToken cancellationToken) => AskAsync(
        _leases.AddResourceAsync(
            new AddResourceRequest { Id = lease.Id, Resource = new() { Type = resource.Type, Id = resource.Id } }, daemon.Headers, cancellationToken: cancellationToken),
        cancellationToken);

    public Task EndLeaseAsync(string id, CancellationToken cancellationToken) => AskAsync(
        _leases.DeleteAsync(new DeleteRequest { Id = id }, daemon.Headers, cancellationToken: cancellationToken), cancellationToken);

    public async Task<NamespaceRecord> CreateNamespaceAsync(
        string name, IReadOnlyDictionary<string, string> labels, NamespaceQuota quota, CancellationToken cancellationToken)
    {
        var request = new Daemon.Protocol.StoreV1.CreateNamespaceRequest
        {
            Namespace = name, Bytes = Limit(sets: true, quota.Bytes), Images = Limit(sets: true, quota.Images),
        };
        request.Labels.Add(labels.ToDictionary());
        return Of(name, await AskAsync(_own.CreateNamespaceAsync(request, daemon.Headers, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false));
    }

    public async Task<NamespaceRecord> LabelNamespaceAsync(
        string name, IReadOnlyDictionary<string, string> changes, CancellationToken cancellationToken)
    {
        var request = new UpdateNamespaceRequest
        {
            Namespace = Named(name, changes), UpdateMask = new FieldMask { Paths = { changes.Keys.Select(key => $"labels.{key}") } },
        };
        await AskAsync(_namespaces.UpdateAsync(request, daemon.Headers, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
        return await ShowNamespaceAsync(name, cancellationToken).ConfigureAwait(false);
    }

    public async Task<NamespaceRecord> LimitNamespaceAsync(string name, QuotaChange change, CancellationToken cancellationToken)
    {
        var request = new LimitRequest { Namespace = name, Bytes = Limit(change.SetsBytes, change.Bytes), Images = Limit(change.SetsImages, change.Images) };
        return Of(name, await AskAsync(_own.LimitAsync(request, daemon.Headers, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false));
    }

    public Task RemoveNamespaceAsync(string name, CancellationToken cancellationToken) => AskAsync(
        _namespaces.DeleteAsync(new DeleteNamespaceRequest { Name = name }, daemon.Headers, cancellationToken: cancellationToken), cancellationToken);

    public Task<PurgeReport> PurgeNamespaceAsync(string name, CancellationToken cancellationToken) => throw new ImageStoreException(
        ErrorKind.FailedPrecondition,
        $"The namespace {Printable.Of(name)} is not purged while a daemon has the root.",
        "Remove its images, leases and containers, then it without --purge; or stop the daemon first.");

    public ValueTask DisposeAsync()
    {
        daemon.Dispose();
        return ValueTask.CompletedTask;
    }

    private static NamespaceRecord Of(string name, NamespaceResponse answer) => new(
        name, answer.CreatedAt.ToDateTimeOffset(), answer.Labels, new NamespaceQuota(ValueOf(answer.Bytes), (int?)ValueOf(answer.Images)));

    private static Namespace Named(string name, IReadOnlyDictionary<string, string> labels)
    {
        var named = new Namespace { Name = name };
        named.Labels.Add(labels.ToDictionary());
        return named;
    }

    private static Limited? Limit(bool sets, long? value) => !sets ? null : value is { } given ? new Limited { Value = given } : new Limited();

    private static long? ValueOf(Limited? limit) => limit is { HasValue: true } ? limit.Value : null;

    private Holding Of(Leased lease) => new(options.Namespace, lease.Id, lease.CreatedAt.ToDateTimeOffset(), lease.Labels);

    private static ImageRecord Of(Image image) => new(
        image.Name,
        ServedPull.Of(image.Target),
        image.Labels,
        image.CreatedAt.ToDateTimeOffset(),
        image.UpdatedAt.ToDateTimeOffset(),
        image.UsedAt.ToDateTimeOffset());

    private Task<NamespaceRecord> ShowNamespaceAsync(string name, CancellationToken cancellationToken) =>
        LimitNamespaceAsync(name, new QuotaChange(false, null, false, null), cancellationToken);

    private Task<T> AskAsync<T>(AsyncUnaryCall<T> call, CancellationToken cancellationToken) =>
        daemon.CallAsync(async () => await call.ConfigureAwait(false), cancellationToken);
}
