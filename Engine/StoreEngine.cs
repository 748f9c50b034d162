using ImageStore.Distribution.Registry;
using ImageStore.Engine.Diff;
using ImageStore.Engine.Mounts;
using ImageStore.Distribution.Transfer;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Pull;
using ImageStore.Engine.Transfer;
using ImageStore.Engine.Unpack;
using ImageStore.Engine.Usage;
using ImageStore.Gc;
using ImageStore.Gc.Pressure;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Metadata;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;
using ImageStore.Store.Resources;

namespace ImageStore.Engine;

/// <summary>The one place where a root, the registry client and the snapshotters are wired together.</summary>
public sealed partial class StoreEngine : IAsyncDisposable
{
    // Twice the age at which the kernel starts to write dirty pages back by itself.
    private static readonly TimeSpan s_writtenBack = TimeSpan.FromSeconds(60);

    private readonly StoreRoot _root;
    private readonly EngineOptions _options;
    private readonly Tenant _tenant;
    private readonly Dictionary<string, ISnapshotter> _snapshotters = new(StringComparer.Ordinal);
    private readonly Collector _collector;
    private readonly SemaphoreSlim _opening = new(1, 1);
    private bool _discarded;

    private StoreEngine(StoreRoot root, EngineOptions options)
    {
        (_root, _options) = (root, options);
        _tenant = root.Tenant(options.Namespace);
        _collector = new Collector(root, options.Time);
    }

    /// <summary>The blobs of the namespace.</summary>
    public IContentStore Content => _tenant.Content;

    /// <summary>The images of the namespace.</summary>
    public ImageCatalogue Images => _tenant.Images;

    /// <summary>The root directory, absolute.</summary>
    public string Root => _root.Directory;

    /// <summary>Opens a root; a writer waits for the one before it.</summary>
    /// <exception cref="ImageStoreException">The root cannot be opened, or the namespace's name is malformed.</exception>
    public static async Task<StoreEngine> OpenAsync(EngineOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        NamespaceName.Check(options.Namespace);
        var root = await StoreRoot.OpenAsync(
            options.Root,
            new StoreOptions
            {
                Access = options.Access,
                OnWait = options.OnWait,
                Sharing = options.Settings.Sharing,
                OtherResources = directory => [SnapshotterFactory.Resources(directory, options.RemovalBudget)],
                Time = options.Time,
            },
            cancellationToken).ConfigureAwait(false);
        try
        {
            if (options is { Access: MetadataAccess.ReadWrite, MakeNamespace: true })
            {
                await root.Namespaces.EnsureAsync(options.Namespace, cancellationToken).ConfigureAwait(false);
            }

            return new StoreEngine(root, options);
        }
        catch
        {
            await root.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Pulls an image from its registry; unpacks it where that is asked for and permitted.</summary>
    /// <exception cref="ImageStoreException">What failed, why, and what to do; what was verified stays for a repeat.</exception>
    public async Task<PullResult> PullAsync(PullRequest request, TransferProgress progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(progress);
        if (request is { Unpack: true, Snapshotter: not null })
        {
            Privileges.NeedUnpack(request.Reference);
        }

        var snapshotter = request.Unpack && Privileges.CanUnpack
            ? await SnapshotterAsync(request.Snapshotter, cancellationToken).ConfigureAwait(false)
            : null;
        var registry = new RegistryClient(_options.Registry with
        {
            PlainHttp = request.PlainHttp || _options.Registry.PlainHttp, Time = _options.Time,
        });
        await using var closing = registry.ConfigureAwait(false);
        var operation = new PullOperation(_tenant, snapshotter, _options.Settings.Layers, registry, () => DiskSpace.Of(Root), request, progress);
        var result = await operation.RunAsync(cancellationToken).ConfigureAwait(false);
        await Images.TouchAsync(result.Name, cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>Unpacks an image that the store has; returns the snapshotter's name and the chain ID.</summary>
    /// <exception cref="ImageStoreException">The image or a part of it is missing, or a layer is at fault.</exception>
    public async Task<(string Snapshotter, Digest ChainId)> UnpackAsync(
        string reference, string? snapshotter, Platform? platform, TransferProgress progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(progress);
        var image = FindImage(reference);
        Privileges.NeedUnpack(reference);
        var target = await SnapshotterAsync(snapshotter, cancellationToken).ConfigureAwait(false);
        var chainId = await new StoredImageUnpacker(_tenant, target, _options.Settings.Layers)
            .UnpackAsync(image, platform ?? Platform.Current, progress, cancellationToken).ConfigureAwait(false);
        await Images.TouchAsync(image.Name, cancellationToken).ConfigureAwait(false);
        return (target.Name, chainId);
    }

    internal TenantImages Own => new(_tenant);

    /// <summary>The namespace's images, to copy from.</summary>
    public IImageSource AsSource() => Own.AsSource();

    /// <summary>The namespace, to copy images into.</summary>
    /// <param name="names">Makes an image's full name out of the tag that it is put under.</param>
    /// <param name="cancellationToken">Ends the making of the lease that keeps what arrives.</param>
    public Task<IImageTarget> AsTargetAsync(Func<string, string> names, CancellationToken cancellationToken) =>
        Own.AsTargetAsync(names, cancellationToken);

    /// <summary>The images of the namespace by the names that people write.</summary>
    public ImageNaming Naming => new(Images);

    /// <summary>The image that <paramref name="reference"/> names, in its short or full spelling.</summary>
    /// <exception cref="ImageStoreException">There is none (<see cref="ErrorKind.NotFound"/>).</exception>
    public ImageRecord FindImage(string reference) => Naming.Find(reference);

    /// <summary>The images of the namespace with their sizes and platforms, ordered by name.</summary>
    public async Task<IReadOnlyList<ImageListing>> ListImagesAsync(CancellationToken cancellationToken)
    {
        var lister = new ImageLister(Content);
        List<ImageListing> found = [];
        foreach (var image in Images.List())
        {
            found.Add(await lister.ListAsync(image, cancellationToken).ConfigureAwait(false));
        }

        return found;
    }

    /// <summary>The namespaces of the root.</summary>
    public NamespaceCatalogue Namespaces => _root.Namespaces;

    /// <summary>What the store has of an image.</summary>
    public Task<ImageDetails> InspectAsync(string reference, CancellationToken cancellationToken) =>
        new ImageInspector(Content).InspectAsync(FindImage(reference), cancellationToken);

    /// <summary>Removes what nothing refers to, in every namespace.</summary>
    public Task<CollectionReport> CollectAsync(CancellationToken cancellationToken) =>
        WithoutUnfinishedAsync(() => _collector.CollectAsync(cancellationToken), cancellationToken);

    /// <summary>What <see cref="CollectAsync"/> would remove.</summary>
    public Task<CollectionReport> PlanCollectionAsync(CancellationToken cancellationToken) => _collector.PlanAsync(cancellationToken);

    /// <summary>Makes room when the disk is full beyond the high mark: images that were used longest ago go.</summary>
    public Task<EvictionReport> RelieveAsync(WaterMarks marks, CancellationToken cancellationToken) => WithoutUnfinishedAsync(
        () => new DiskPressure(_root, _collector, () => DiskSpace.Of(Root), _options.Time).RelieveAsync(marks, cancellationToken), cancellationToken);

    /// <summary>Backs the metadata up when the last backup is old.</summary>
    /// <returns>The file, or null.</returns>
    public string? BackUpWhenDue() => _root.IsBackupDue ? _root.BackUp() : null;

    /// <summary>Removes a namespace with all that it has.</summary>
    public Task<PurgeReport> PurgeAsync(string name, CancellationToken cancellationToken) =>
        WithoutUnfinishedAsync(() => new NamespacePurge(_root).RunAsync(name, cancellationToken), cancellationToken);

    /// <summary>What keeps a resource of the namespace.</summary>
    public Task<Explanation> ExplainAsync(ResourceKind kind, string key, CancellationToken cancellationToken) =>
        _collector.ExplainAsync(new Resource(kind, _options.Namespace, key), cancellationToken);

    /// <summary>The leases of the namespace.</summary>
    public LeaseManager Leases => _tenant.Leases;

    /// <summary>Mounts an image on a directory; unpacks it first where that is still to be done.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="directory">Where to, an empty directory.</param>
    /// <param name="readWrite">Take writes, which go with the unmount?</param>
    /// <param name="snapshotter">The snapshotter's name, or null for the usual one.</param>
    /// <param name="maps">As whom the owners of files are shown; null for as they are.</param>
    /// <param name="cancellationToken">Cancels the unpacking.</param>
    /// <exception cref="ImageStoreException">The image is not there, or the kernel refuses.</exception>
    public async Task MountAsync(
        string reference, string directory, bool readWrite, string? snapshotter, IdMapPair? maps, CancellationToken cancellationToken)
    {
        _ = FindImage(reference);
        Privileges.NeedMount(directory);
        var (name, chainId) = await UnpackAsync(reference, snapshotter, null, new TransferProgress(), cancellationToken)
            .ConfigureAwait(false);
        var target = await SnapshotterAsync(name, cancellationToken).ConfigureAwait(false);
        await new ImageMounts(target).MountAsync(chainId, directory, readWrite, maps, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Undoes <see cref="MountAsync"/>.</summary>
    public async Task UnmountAsync(string directory, string? snapshotter, CancellationToken cancellationToken)
    {
        Privileges.NeedMount(directory);
        var target = await SnapshotterAsync(snapshotter, cancellationToken).ConfigureAwait(false);
        await new ImageMounts(target).UnmountAsync(directory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The snapshotter of that name, or the one that the filesystem suits when it is null.</summary>
    /// <exception cref="ImageStoreException">There is none of that name, or the filesystem cannot do it.</exception>
    public async Task<ISnapshotter> SnapshotterAsync(string? name, CancellationToken cancellationToken)
    {
        // One at a time: what opening sweeps away must not be what another pull has begun.
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_snapshotters.TryGetValue(name ?? string.Empty, out var known))
            {
                known = await OpenSnapshotterAsync(name, cancellationToken).ConfigureAwait(false);
            }

            return known;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>What the root takes on its disk, and for whom.</summary>
    public Task<DiskUsage> DiskUsageAsync(CancellationToken cancellationToken) =>
        Task.Run(() => new UsageReader(_root).Read(cancellationToken), cancellationToken);

    /// <summary>What each image of the namespace has on the disk.</summary>
    public Task<IReadOnlyList<ImageUsage>> ImageUsageAsync(CancellationToken cancellationToken) =>
        Task.Run(() => new UsageReader(_root).ReadImages(_options.Namespace, cancellationToken), cancellationToken);

    /// <summary>What each snapshot of the namespace has on the disk.</summary>
    public Task<IReadOnlyList<SnapshotUsageLine>> SnapshotUsageAsync(CancellationToken cancellationToken) =>
        Task.Run(() => new UsageReader(_root).ReadSnapshots(_options.Namespace, cancellationToken), cancellationToken);

    /// <summary>The root in figures.</summary>
    public StoreInfo Info()
    {
        var blobs = Content.List();
        var ingests = Content.ListIngests();
        return new StoreInfo(
            typeof(StoreEngine).Assembly.GetName().Version?.ToString(3) ?? string.Empty,
            Environment.Version.ToString(),
            Root,
            _options.Namespace,
            [.. _root.Namespaces.List().Select(ns => ns.Name)],
            Images.List().Count,
            blobs.Count,
            blobs.Sum(blob => blob.Size),
            ingests.Count,
            ingests.Sum(ingest => ingest.Offset),
            SnapshotterFactory.Counts(_options.Namespace, _root.Database),
            DiskSpace.Of(Root).Available);
    }

    /// <summary>Closes the root.</summary>
    public ValueTask DisposeAsync()
    {
        _opening.Dispose();
        _collector.Dispose();
        return _root.DisposeAsync();
    }

    private async Task<ISnapshotter> OpenSnapshotterAsync(string? name, CancellationToken cancellationToken)
    {
        await DiscardUnfinishedAsync(cancellationToken).ConfigureAwait(false);
        var usual = Namespaces.Find(_options.Namespace)?.Labels.GetValueOrDefault(NamespaceRecord.DefaultSnapshotterLabel);
        var opened = await SnapshotterFactory.OpenAsync(
            name ?? usual, _root.Directory, _options.Namespace, _root.Database, _options.Settings.Snapshotters, _options.Time, cancellationToken)
            .ConfigureAwait(false);
        if (_snapshotters.TryGetValue(opened.Name, out var same))
        {
            // The default is one of the two names; both are the same snapshotter.
            opened = same;
        }
        else if (_options.Access == MetadataAccess.ReadWrite)
        {
            await opened.MarkSyncedAsync(s_writtenBack, cancellationToken).ConfigureAwait(false);
        }

        _snapshotters[opened.Name] = opened;
        _snapshotters[name ?? string.Empty] = opened;
        return opened;
    }

    // Unpacking that a dead process left would count as in use for ever.
    private async Task DiscardUnfinishedAsync(CancellationToken cancellationToken)
    {
        if (!_discarded && _options.Access == MetadataAccess.ReadWrite)
        {
            await SnapshotterFactory.DiscardAsync(_root.Database, ImageUnpacker.ExtractPrefix, cancellationToken).ConfigureAwait(false);
            await SnapshotterFactory.DiscardAsync(_root.Database, DiffTrees.ViewPrefix, cancellationToken).ConfigureAwait(false);
            _discarded = true;
        }
    }

    private async Task<T> WithoutUnfinishedAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await DiscardUnfinishedAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _opening.Release();
        }

        return await work().ConfigureAwait(false);
    }
}
