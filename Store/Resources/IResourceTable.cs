using ImageStore.Store.Metadata;

namespace ImageStore.Store.Resources;

/// <summary>The resources of one kind, in every namespace.</summary>
public interface IResourceTable
{
    /// <summary>The kind.</summary>
    ResourceKind Kind { get; }

    /// <summary>The namespaces that have any.</summary>
    IReadOnlyList<string> Namespaces(IMetadataReader rows);

    /// <summary>How many a namespace has.</summary>
    int Count(IMetadataReader rows, string @namespace);

    /// <summary>The bytes of a namespace's, as far as they are known and count for its quota.</summary>
    long Bytes(IMetadataReader rows, string @namespace);

    /// <summary>All of a namespace.</summary>
    IEnumerable<ResourceRow> All(IMetadataReader rows, string @namespace);

    /// <summary>One of them, or null.</summary>
    ResourceRow? Find(IMetadataReader rows, Resource resource);

    /// <summary>The resource that a row belongs to; null for the rows of other tables.</summary>
    Resource? Of(string table, string rowKey);

    /// <summary>Removes the rows of one.</summary>
    /// <returns>What <see cref="DeleteFiles"/> is given once that is durable; null where there are no files.</returns>
    string? Remove(MetadataTransaction transaction, Resource resource);

    /// <summary>Deletes files whose rows are gone, unless somebody else has them by now. Several at once may be.</summary>
    /// <returns>The bytes that are free then.</returns>
    long DeleteFiles(string files);
}
