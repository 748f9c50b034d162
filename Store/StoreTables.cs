using ImageStore.Store.Containers;
using ImageStore.Store.Content;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Metadata;
using ImageStore.Store.Namespaces;

namespace ImageStore.Store;

/// <summary>The Store's tables. Keys begin with the namespace and a slash, which no namespace's name can hold.</summary>
internal static class StoreTables
{
    /// <summary>The tables that a damaged database is asked for when it cannot tell its own.</summary>
    public static IReadOnlyList<string> Names { get; } = ["namespaces", "content", "images", "leases", "leaseresources", "containers", "snapshots", "snapshot-counters"];

    public static MetadataTable<NamespaceRow> Namespaces { get; } = new("namespaces", StoreJson.Default.NamespaceRow);

    public static MetadataTable<ContentRow> Content { get; } = new("content", StoreJson.Default.ContentRow, row => row.Size);

    public static MetadataTable<ImageRow> Images { get; } = new("images", StoreJson.Default.ImageRow);

    public static MetadataTable<LeaseRow> Leases { get; } = new("leases", StoreJson.Default.LeaseRow);

    public static MetadataTable<LeaseResourceRow> LeaseResources { get; } =
        new("leaseresources", StoreJson.Default.LeaseResourceRow);

    public static MetadataTable<ContainerRow> Containers { get; } = new("containers", StoreJson.Default.ContainerRow);
}
