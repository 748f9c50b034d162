using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine;
using ImageStore.Engine.Pull;
using ImageStore.Gc;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Root;

/// <summary>A root that this process has opened itself.</summary>
internal sealed class EmbeddedChanges(StoreEngine engine) : IRootChanges
{
    public Task<PullResult> PullAsync(PullRequest request, TransferProgress progress, CancellationToken cancellationToken) =>
        engine.PullAsync(request, progress, cancellationToken);

    public Task<IReadOnlyList<ImageRecord>> FindImagesAsync(IEnumerable<string> references, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<ImageRecord>>([.. references.Select(engine.FindImage).DistinctBy(image => image.Name)]);

    public Task<ImageRecord> TagAsync(string source, string target, CancellationToken cancellationToken) =>
        engine.Naming.TagAsync(source, target, cancellationToken);

    public Task PinAsync(string name, bool pinned, CancellationToken cancellationToken) => engine.Naming.PinAsync(name, pinned, cancellationToken);

    public Task RemoveImageAsync(ImageRecord image, CancellationToken cancellationToken) =>
        engine.Naming.RemoveAsync(image.Name, image.Target.Digest, cancellationToken);

    public Task<CollectionReport> CollectAsync(CancellationToken cancellationToken) => engine.CollectAsync(cancellationToken);

    public Task RemoveBlobAsync(Digest digest, CancellationToken cancellationToken) => engine.Content.RemoveAsync(digest, cancellationToken);

    public Task<IReadOnlyList<Lease>> LeasesAsync(CancellationToken cancellationToken) => Task.FromResult(engine.Leases.List());

    public Task<Lease> CreateLeaseAsync(
        string id, TimeSpan? lifetime, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        engine.Leases.CreateAsync(id, lifetime, labels, cancellationToken);

    public Task KeepAsync(Lease lease, LeaseResource resource, CancellationToken cancellationToken) =>
        engine.Leases.AddAsync(lease, resource, cancellationToken);

    public Task EndLeaseAsync(string id, CancellationToken cancellationToken) => engine.Leases.DeleteAsync(id, cancellationToken);

    public Task<NamespaceRecord> CreateNamespaceAsync(
        string name, IReadOnlyDictionary<string, string> labels, NamespaceQuota quota, CancellationToken cancellationToken) =>
        engine.Namespaces.CreateAsync(name, labels, quota, cancellationToken);

    public Task<NamespaceRecord> LabelNamespaceAsync(
        string name, IReadOnlyDictionary<string, string> changes, CancellationToken cancellationToken) =>
        engine.Namespaces.SetLabelsAsync(name, changes, cancellationToken);

    public Task<NamespaceRecord> LimitNamespaceAsync(string name, QuotaChange change, CancellationToken cancellationToken) =>
        engine.Namespaces.ChangeQuotaAsync(name, change, cancellationToken);

    public Task RemoveNamespaceAsync(string name, CancellationToken cancellationToken) => engine.Namespaces.RemoveAsync(name, cancellationToken);

    public Task<PurgeReport> PurgeNamespaceAsync(string name, CancellationToken cancellationToken) => engine.PurgeAsync(name, cancellationToken);

    public ValueTask DisposeAsync() => engine.DisposeAsync();
}
