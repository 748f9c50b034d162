using ImageStore.Gc;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Engine.Usage;

/// <summary>Counts what a root takes, and says for whom. It walks over every file, so it takes as long as <c>du</c>.</summary>
/// <remarks>Others may work meanwhile; what comes or goes then may be counted or not.</remarks>
internal sealed class UsageReader(StoreRoot root)
{
    private readonly IMetadataReader _rows = root.Database.View();
    private readonly Dictionary<string, long> _blobs = root.BlobFiles().ToDictionary(
        file => file.Digest.ToString(), file => TreeUsage.Own(file.Path), StringComparer.Ordinal);
    private readonly IResourceTable _content = root.Resources.Single(table => table.Kind == ResourceKind.Content);
    private readonly IResourceTable _images = root.Resources.Single(table => table.Kind == ResourceKind.Image);

    public DiskUsage Read(CancellationToken cancellationToken)
    {
        var owners = Owners();
        var snapshots = SnapshotPlaces.All(root.Directory, _rows)
            .Select(place => (place.Namespace, Bytes: Measure(place.Directory, cancellationToken))).ToLookup(one => one.Namespace, one => one.Bytes);
        var ingests = root.IngestFolders()
            .Select(ingest => (ingest.Namespace, Bytes: Measure(ingest.Path, cancellationToken))).ToLookup(one => one.Namespace ?? string.Empty, one => one.Bytes);
        var namespaces = root.Namespaces.List().Select(ns => new NamespaceUsage(
            ns.Name,
            _images.Count(_rows, ns.Name),
            Sum(ns.Name, owners, shared: false),
            Sum(ns.Name, owners, shared: true),
            snapshots[ns.Name].Sum(),
            ingests[ns.Name].Sum(),
            root.Quotas.BytesOf(ns.Name),
            ns.Quota.Bytes)).ToList();
        var total = Measure(root.Directory, cancellationToken);
        var metadata = Measure(root.MetadataDirectory, cancellationToken);
        var quarantine = Measure(root.QuarantineDirectory, cancellationToken);
        var shared = owners.Where(blob => blob.Value.Count > 1).Sum(blob => _blobs.GetValueOrDefault(blob.Key));
        var claimed = namespaces.Sum(ns => ns.UniqueBytes + ns.SnapshotBytes + ns.IngestBytes) + shared;
        var unclaimed = _blobs.Where(blob => !owners.ContainsKey(blob.Key)).Sum(blob => blob.Value)
            + Unclaimed(cancellationToken) + ingests.Where(group => namespaces.TrueForAll(ns => ns.Name != group.Key)).Sum(group => group.Sum());
        return new DiskUsage(
            total, namespaces, shared, unclaimed, metadata, quarantine, total - claimed - unclaimed - metadata - quarantine);
    }

    public IReadOnlyList<ImageUsage> ReadImages(string @namespace, CancellationToken cancellationToken)
    {
        var closures = ImageClosure.Of(root, @namespace);
        var users = closures.Values.SelectMany(reached => reached).GroupBy(one => one).ToDictionary(group => group.Key, group => group.Count());
        var places = SnapshotPlaces.All(root.Directory, _rows).Where(place => place.Namespace == @namespace)
            .ToDictionary(place => $"{place.Snapshotter}/{place.Name}", place => place.Directory, StringComparer.Ordinal);
        var sizes = users.Keys.ToDictionary(one => one, SizeOf);
        return
        [
            .. closures.Select(image => new ImageUsage(
                image.Key,
                Sum(image.Value, ResourceKind.Content, shared: false),
                Sum(image.Value, ResourceKind.Content, shared: true),
                Sum(image.Value, ResourceKind.Snapshot, shared: false),
                Sum(image.Value, ResourceKind.Snapshot, shared: true))),
        ];

        long Sum(IEnumerable<Resource> reached, ResourceKind kind, bool shared) =>
            reached.Where(one => one.Kind == kind && users[one] > 1 == shared).Sum(one => sizes[one]);

        long SizeOf(Resource one) => one.Kind switch
        {
            ResourceKind.Content => _blobs.GetValueOrDefault(one.Key),
            ResourceKind.Snapshot => Measure(places[one.Key], cancellationToken),
            _ => 0,
        };
    }

    public IReadOnlyList<SnapshotUsageLine> ReadSnapshots(string @namespace, CancellationToken cancellationToken)
    {
        var places = SnapshotPlaces.All(root.Directory, _rows).Where(place => place.Namespace == @namespace)
            .ToDictionary(place => (place.Snapshotter, place.Name));
        var own = places.ToDictionary(place => place.Key, place => Measure(place.Value.Directory, cancellationToken));
        return
        [
            .. places.Values.Select(place => new SnapshotUsageLine(
                $"{place.Snapshotter}/{place.Name}", place.Parent, own[(place.Snapshotter, place.Name)], Parents(place).Sum(parent => own[parent]))),
        ];

        IEnumerable<(string, string)> Parents(SnapshotPlace place)
        {
            for (var next = place.Parent; next is not null && places.TryGetValue((place.Snapshotter, next), out var parent); next = parent.Parent)
            {
                yield return (parent.Snapshotter, parent.Name);
            }
        }
    }

    private static long Measure(string path, CancellationToken cancellationToken) =>
        Directory.Exists(path) ? TreeUsage.Measure(path, cancellationToken).Bytes : 0;

    private Dictionary<string, List<string>> Owners()
    {
        Dictionary<string, List<string>> owners = new(StringComparer.Ordinal);
        foreach (var ns in _content.Namespaces(_rows))
        {
            foreach (var digest in _content.All(_rows, ns).Select(row => row.Resource.Key))
            {
                (owners.TryGetValue(digest, out var known) ? known : owners[digest] = []).Add(ns);
            }
        }

        return owners;
    }

    private long Sum(string @namespace, Dictionary<string, List<string>> owners, bool shared) =>
        owners.Where(blob => blob.Value.Count > 1 == shared && blob.Value.Contains(@namespace)).Sum(blob => _blobs.GetValueOrDefault(blob.Key));

    // Folders of snapshots that no row names.
    private long Unclaimed(CancellationToken cancellationToken)
    {
        var named = SnapshotPlaces.All(root.Directory, _rows).Select(place => place.Directory).ToHashSet(StringComparer.Ordinal);
        return SnapshotPlaces.Folders(root.Directory).Where(folder => !named.Contains(folder)).Sum(folder => Measure(folder, cancellationToken));
    }
}
