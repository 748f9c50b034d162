using ImageStore.Store.Metadata;

namespace ImageStore.Store.Resources;

/// <summary>The resources of one kind, in every namespace.</summary>
public interface IResourceTable
{
    /// <summary>The kind.</summary>
    ResourceKind Kind { get; }

    /// <summary>All of them.</summary>
    IEnumerable<ResourceRow> All(IMetadataReader rows);

    /// <summary>One of them, or null.</summary>
    ResourceRow? Find(IMetadataReader rows, Resource resource);

    /// <summary>The resource that a row belongs to; null for the rows of other tables.</summary>
    Resource? Of(string table, string rowKey);

    /// <summary>Removes the rows of one.</summary>
    /// <returns>What is left to do once that is durable: the deletion of its files, which gives the bytes that it freed. Null where there is nothing.</returns>
    Func<Task<long>>? Remove(MetadataTransaction transaction, Resource resource);
}
