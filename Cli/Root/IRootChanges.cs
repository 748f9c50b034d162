using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Pull;
using ImageStore.Gc;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Root;

/// <summary>What commands change in a root: in this process, or through the daemon that serves it. Both end with the same errors.</summary>
internal interface IRootChanges : IAsyncDisposable
{
    Task<PullResult> PullAsync(PullRequest request, TransferProgress progress, CancellationToken cancellationToken);

    /// <summary>The images that are meant, each once.</summary>
    Task<IReadOnlyList<ImageRecord>> FindImagesAsync(IEnumerable<string> references, CancellationToken cancellationToken);

    Task<ImageRecord> TagAsync(string source, string target, CancellationToken cancellationToken);

    Task PinAsync(string name, bool pinned, CancellationToken cancellationToken);

    /// <summary>Forgets a name, unless it was pinned or stands for something else by now.</summary>
    Task RemoveImageAsync(ImageRecord image, CancellationToken cancellationToken);

    Task<CollectionReport> CollectAsync(CancellationToken cancellationToken);

    Task RemoveBlobAsync(Digest digest, CancellationToken cancellationToken);

    Task<IReadOnlyList<Lease>> LeasesAsync(CancellationToken cancellationToken);

    Task<Lease> CreateLeaseAsync(
        string id, TimeSpan? lifetime, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);

    Task KeepAsync(Lease lease, LeaseResource resource, CancellationToken cancellationToken);

    Task EndLeaseAsync(string id, CancellationToken cancellationToken);

    Task<NamespaceRecord> CreateNamespaceAsync(
        string name, IReadOnlyDictionary<string, string> labels, NamespaceQuota quota, CancellationToken cancellationToken);

    Task<NamespaceRecord> LabelNamespaceAsync(string name, IReadOnlyDictionary<string, string> changes, CancellationToken cancellationToken);

    Task<NamespaceRecord> LimitNamespaceAsync(string name, QuotaChange change, CancellationToken cancellationToken);

    Task RemoveNamespaceAsync(string name, CancellationToken cancellationToken);

    /// <summary>Removes a namespace with all that it has.</summary>
    Task<PurgeReport> PurgeNamespaceAsync(string name, CancellationToken cancellationToken);
}
