using ImageStore.Store;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>Which resources there are and what keeps what, over the rows of one moment.</summary>
internal sealed class ReferenceGraph(IReadOnlyList<IResourceTable> tables, Moment now)
{
    private readonly Dictionary<ResourceKind, IResourceTable> _tables = tables.ToDictionary(table => table.Kind);

    /// <summary>The namespaces that have anything.</summary>
    public IReadOnlyList<string> Namespaces(IMetadataReader rows) =>
        [.. tables.SelectMany(table => table.Namespaces(rows)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>How many there are in a namespace.</summary>
    public int Count(IMetadataReader rows, string @namespace) => tables.Sum(table => table.Count(rows, @namespace));

    public IEnumerable<ResourceRow> All(IMetadataReader rows, string @namespace) => tables.SelectMany(table => table.All(rows, @namespace));

    public ResourceRow? Find(IMetadataReader rows, Resource resource) =>
        _tables.TryGetValue(resource.Kind, out var table) ? table.Find(rows, resource) : null;

    /// <summary>The resource that a changed row belongs to.</summary>
    public Resource? Of((string Table, string Key) changed) =>
        tables.Select(table => table.Of(changed.Table, changed.Key)).FirstOrDefault(resource => resource is not null);

    /// <inheritdoc cref="IResourceTable.Remove"/>
    public string? Remove(MetadataTransaction transaction, Resource resource) => _tables[resource.Kind].Remove(transaction, resource);

    /// <inheritdoc cref="IResourceTable.DeleteFiles"/>
    public long DeleteFiles(ResourceKind kind, string files) => _tables[kind].DeleteFiles(files);

    /// <summary>Why a resource stays by itself; null when it needs another one to keep it.</summary>
    public RootReason? Root(ResourceRow row) => row.Resource.Kind switch
    {
        ResourceKind.Lease => IsExpired(row) ? null : RootReason.Lease,
        ResourceKind.Image => IsExpired(row) && !row.Labels.ContainsKey(Labels.Pinned) ? null : RootReason.Image,
        ResourceKind.Container => RootReason.Container,
        _ when row.Labels.ContainsKey(Labels.Root) => RootReason.Label,
        _ => row.InUse ? RootReason.InUse : null,
    };

    /// <summary>Adds what a resource keeps, by its nature and by its labels.</summary>
    public static void AddKept(ResourceRow row, List<Resource> kept)
    {
        kept.AddRange(row.References);
        LabelReferences.AddKept(row, kept);
    }

    /// <summary>Whether a snapshot satisfies the condition under which it keeps something.</summary>
    public bool Holds(UseCondition condition, ResourceRow snapshot) =>
        Labels.Time(snapshot.Labels, Labels.UsedAt) is { } usedAt && condition.Holds(usedAt, now.Wall);

    /// <summary>A flat lease keeps what it was given, and nothing beyond.</summary>
    public static bool IsFlat(ResourceRow row) => row.Resource.Kind == ResourceKind.Lease && row.Labels.ContainsKey(Labels.Flat);

    private bool IsExpired(ResourceRow row) => Labels.IsExpired(row.Labels, row.Ends, now);
}
