using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Pull;
using ImageStore.Engine.Transfer;
using ImageStore.Engine.Unpack;
using ImageStore.Gc.Pressure;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Images;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Serving;

/// <summary>Whole images between registries, archives and a namespace.</summary>
public sealed class ServedTransfers
{
    private readonly ServedStore _store;
    private readonly Tenant _tenant;
    private readonly TenantImages _images;

    internal ServedTransfers(ServedStore store, Tenant tenant) => (_store, _tenant, _images) = (store, tenant, new TenantImages(tenant));

    /// <summary>Pulls an image for one platform after the other, or for all that it has.</summary>
    /// <param name="reference">The reference as the caller wrote it.</param>
    /// <param name="image">What it is to be called, and for what it is to be unpacked.</param>
    /// <param name="registry">How the registry is spoken to, and as whom.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it; what was verified stays for a repeat.</param>
    /// <exception cref="Store.Errors.ImageStoreException">What failed, why, and what to do.</exception>
    public async Task<ImageRecord> PullAsync(
        string reference, ImageDestination image, RegistryOptions registry, TransferProgress progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(progress);
        var client = new RegistryClient(registry);
        await using var closing = client.ConfigureAwait(false);
        foreach (var platform in image.Platforms.Count > 0 ? image.Platforms : (IReadOnlyList<Platform?>)[null])
        {
            var unpack = image.Unpacks.FirstOrDefault(one => platform is null || one.Platform.Rank(platform) > 0);
            var snapshotter = unpack is null ? null : await SnapshotterAsync(unpack.Snapshotter, reference, cancellationToken).ConfigureAwait(false);
            var request = new PullRequest
            {
                Reference = reference,
                Name = image.Name,
                Labels = image.Labels,
                Platform = platform ?? unpack?.Platform,
                AllPlatforms = platform is null,
                Unpack = unpack is not null,
            };
            await OperationOf(snapshotter, client, request, progress).RunAsync(cancellationToken).ConfigureAwait(false);
        }

        await _tenant.Images.TouchAsync(image.Name, cancellationToken).ConfigureAwait(false);
        return Find(image.Name);
    }

    /// <summary>Pulls an image as the command of that name does; unpacks it where that is asked for and permitted.</summary>
    /// <param name="request">What to pull.</param>
    /// <param name="registry">How the registry is spoken to, and as whom.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it; what was verified stays for a repeat.</param>
    /// <exception cref="Store.Errors.ImageStoreException">What failed, why, and what to do.</exception>
    public async Task<PullResult> PullAsync(
        PullRequest request, RegistryOptions registry, TransferProgress progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(registry);
        ArgumentNullException.ThrowIfNull(progress);
        var snapshotter = request.Unpack && (Privileges.CanUnpack || request.Snapshotter is not null)
            ? await SnapshotterAsync(request.Snapshotter, request.Reference, cancellationToken).ConfigureAwait(false)
            : null;
        var client = new RegistryClient(registry with { PlainHttp = request.PlainHttp || registry.PlainHttp });
        await using var closing = client.ConfigureAwait(false);
        var result = await OperationOf(snapshotter, client, request, progress).RunAsync(cancellationToken).ConfigureAwait(false);
        await _tenant.Images.TouchAsync(result.Name, cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>Pushes an image of the namespace.</summary>
    /// <remarks>
    /// An index of which the namespace has all is pushed as it is, whichever platforms are asked for. Of one of which parts are
    /// missing those platforms are, under a digest of their own, since registries refuse an index with holes.
    /// </remarks>
    /// <exception cref="Store.Errors.ImageStoreException">There is no such image, a part of it is missing, or the registry refuses it.</exception>
    public async Task<ImageRecord> PushAsync(
        string name,
        ImageReference to,
        IReadOnlyList<Platform> platforms,
        RegistryOptions registry,
        TransferProgress progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(platforms);
        var image = Find(name);
        var isWhole = platforms.Count == 0
            || await new StoredImage(_tenant.Content).IsWholeAsync(image.Target, cancellationToken).ConfigureAwait(false);
        var client = new RegistryClient(registry);
        await using var closing = client.ConfigureAwait(false);
        var source = _images.AsSource();
        await using var reading = source.ConfigureAwait(false);
        var target = new RepositoryTarget(client.Repository(to));
        await using var writing = target.ConfigureAwait(false);
        await new ImageCopier(source, target, new CopyOptions { Platforms = isWhole ? null : platforms }, new BlobLocations())
            .CopyAsync(image.Target, to.Tag, progress, cancellationToken).ConfigureAwait(false);
        await target.CompleteAsync(cancellationToken).ConfigureAwait(false);
        return image;
    }

    /// <summary>Brings the images of an archive, and unpacks them.</summary>
    /// <param name="input">The archive, read to its end.</param>
    /// <param name="names">What an image of the archive is to be called; one without a name is left out.</param>
    /// <param name="image">Labels, and for what the images are to be unpacked.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it; what came is kept for a repeat.</param>
    /// <returns>The names and what they stand for; none where the archive has no image that gets a name.</returns>
    /// <exception cref="Store.Errors.ImageStoreException">The archive is damaged, or a quota or disk does not suffice.</exception>
    public async Task<IReadOnlyList<NamedImage>> ImportAsync(
        Stream input,
        Func<NamedImage, IEnumerable<string>> names,
        ImageDestination image,
        TransferProgress progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(progress);
        progress.Phase = "receiving";
        var archive = await ReceiveAsync(input, cancellationToken).ConfigureAwait(false);
        await using var closing = archive.ConfigureAwait(false);
        List<NamedImage> wanted = [];
        foreach (var one in archive.Images)
        {
            // What only refers to another image comes along with that one.
            if (one.Name is not null || !await ArchiveImport.IsReferrerAsync(archive, one.Target, cancellationToken).ConfigureAwait(false))
            {
                wanted.AddRange(names(one).Select(name => one with { Name = name }));
            }
        }

        var options = new CopyOptions { Referrers = true };
        var brought = await ArchiveImport.BringAsync(_images, archive, wanted, options, image.Labels, progress, cancellationToken).ConfigureAwait(false);
        foreach (var one in brought.DistinctBy(one => one.Target.Digest))
        {
            await UnpackAsync(Find(one.Name!), image.Unpacks, progress, cancellationToken).ConfigureAwait(false);
        }

        return brought;
    }

    /// <summary>Writes images of the namespace as one archive in the OCI layout, which docker reads too.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="names">The images.</param>
    /// <param name="platforms">The platforms of indexes; none for all that the namespace has. Indexes stay as they are.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="Store.Errors.ImageStoreException">An image or a part of it is missing.</exception>
    public async Task ExportAsync(
        Stream output,
        IReadOnlyList<string> names,
        IReadOnlyList<Platform> platforms,
        TransferProgress progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(platforms);
        var images = names.Select(Find).DistinctBy(image => image.Name).ToList();
        var source = _images.AsSource();
        await using var reading = source.ConfigureAwait(false);
        var target = OciArchiveTarget.ToStream(output);
        await using var writing = target.ConfigureAwait(false);
        var options = new CopyOptions { Platforms = platforms.Count > 0 ? platforms : null, Sparse = true };
        foreach (var image in images)
        {
            await new ImageCopier(source, target, options, new BlobLocations())
                .CopyAsync(image.Target, image.Name, progress, cancellationToken).ConfigureAwait(false);
        }

        await target.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes <paramref name="name"/> stand for what the namespace has, whatever it stood for before.</summary>
    public Task<ImageRecord> NameAsync(
        string name, Descriptor target, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        _images.NameAsync(name, target, labels, cancellationToken);

    /// <summary>The image of that name.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">There is none (<see cref="Store.Errors.ErrorKind.NotFound"/>).</exception>
    public ImageRecord Find(string name) => _tenant.Images.Find(name) ?? throw ImageCatalogue.Missing(name);

    private PullOperation OperationOf(ISnapshotter? snapshotter, RegistryClient client, PullRequest request, TransferProgress progress) =>
        new(_tenant, snapshotter, _store.LayerLimits, client, () => DiskSpace.Of(_store.Root), request, progress);

    // Until all of it is there an archive counts as what it brings: nobody fills the disk with what is never imported.
    private async Task<IImageCollection> ReceiveAsync(Stream input, CancellationToken cancellationToken)
    {
        using var reserved = _tenant.Reserve("an archive");
        return await ImageArchive.ReceiveAsync(input, "the archive", reserved.GrowTo, cancellationToken).ConfigureAwait(false);
    }

    private async Task UnpackAsync(
        ImageRecord image, IReadOnlyList<UnpackTarget> unpacks, TransferProgress progress, CancellationToken cancellationToken)
    {
        var stored = new StoredImage(_tenant.Content);
        foreach (var unpack in unpacks)
        {
            // An archive need not have the platform, nor anything that can be unpacked.
            if (await stored.FindManifestAsync(image.Target, unpack.Platform, cancellationToken).ConfigureAwait(false) is { } found
                && stored.IsComplete(found.Manifest) && StoredImage.IsFilesystem(found.Manifest))
            {
                var snapshotter = await SnapshotterAsync(unpack.Snapshotter, image.Name, cancellationToken).ConfigureAwait(false);
                await new StoredImageUnpacker(_tenant, snapshotter, _store.LayerLimits)
                    .UnpackAsync(image, unpack.Platform, progress, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private Task<ISnapshotter> SnapshotterAsync(string? name, string reference, CancellationToken cancellationToken)
    {
        Privileges.NeedUnpack(reference);
        var usual = _store.Namespaces.Find(_tenant.Namespace)?.Labels.GetValueOrDefault(NamespaceRecord.DefaultSnapshotterLabel);
        return _store.SnapshotterAsync(_tenant.Namespace, name ?? usual ?? SnapshotterFactory.Default, cancellationToken);
    }
}
