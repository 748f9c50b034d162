using ImageStore.Store;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Gc.Pressure;

/// <summary>Which images may go when the disk gets full, those first that were used longest ago.</summary>
/// <remarks>Never what is pinned, what a lease holds on to, nor what something runs or is mounted on.</remarks>
internal sealed class EvictionCandidates
{
    private readonly IMetadataReader _rows;
    private readonly ReferenceGraph _graph;
    private readonly IResourceTable _images;
    private readonly IResourceTable _leases;
    private readonly IResourceTable _snapshots;

    public EvictionCandidates(StoreRoot root, Moment now)
    {
        _rows = root.Database.View();
        _graph = new ReferenceGraph(root.Resources, now);
        _images = Table(ResourceKind.Image);
        _leases = Table(ResourceKind.Lease);
        _snapshots = Table(ResourceKind.Snapshot);

        IResourceTable Table(ResourceKind kind) => root.Resources.Single(table => table.Kind == kind);
    }

    /// <summary>All that may go, in the order in which they do.</summary>
    public IReadOnlyList<EvictionCandidate> Ordered() =>
        [.. _images.Namespaces(_rows).SelectMany(Of).OrderBy(candidate => candidate.UsedAt)];

    private IEnumerable<EvictionCandidate> Of(string @namespace)
    {
        var leased = Leased(@namespace);
        var all = _images.All(_rows, @namespace).Select(image => (Image: image, Reach: ImageReach.Of(_graph, _rows, image))).ToList();
        var inUse = InUse(@namespace, [.. all.SelectMany(image => image.Reach.Tops)]);
        return all
            .Where(one => !one.Image.Labels.ContainsKey(Labels.Pinned)
                && !leased.Contains(one.Image.Resource) && !one.Reach.All.Overlaps(leased) && !one.Reach.Tops.Any(inUse.Contains))
            .Select(one => new EvictionCandidate(one.Image.Resource, one.Image.UsedAt, one.Reach.All, one.Reach.Tops));
    }

    private HashSet<Resource> Leased(string @namespace) =>
        [.. _leases.All(_rows, @namespace).Where(lease => _graph.Root(lease) is not null).SelectMany(lease => lease.References)];

    /// <summary>Of the images' topmost snapshots those that somebody's stands on: the next one below, whatever lies between.</summary>
    private HashSet<Resource> InUse(string @namespace, HashSet<Resource> tops)
    {
        HashSet<Resource> inUse = [];
        foreach (var used in _snapshots.All(_rows, @namespace).Where(snapshot => snapshot.InUse))
        {
            for (ResourceRow? above = used; above is { References: [var parent, ..] }; above = _snapshots.Find(_rows, parent))
            {
                if (tops.Contains(parent))
                {
                    inUse.Add(parent);
                    break;
                }
            }
        }

        return inUse;
    }
}

/// <summary>An image that may go.</summary>
/// <param name="Image">Which.</param>
/// <param name="UsedAt">When it was used last.</param>
/// <param name="Keeps">What goes with it, unless something else keeps that.</param>
/// <param name="Tops">Its topmost snapshots.</param>
internal sealed record EvictionCandidate(
    Resource Image, DateTimeOffset UsedAt, IReadOnlySet<Resource> Keeps, IReadOnlyList<Resource> Tops);
