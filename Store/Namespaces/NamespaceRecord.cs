namespace ImageStore.Store.Namespaces;

/// <summary>A namespace: what a tenant has is in it, and nobody else sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Labels">Its labels; some are defaults for what is done in it.</param>
/// <param name="Quota">Its limits.</param>
public sealed record NamespaceRecord(
    string Name, DateTimeOffset CreatedAt, IReadOnlyDictionary<string, string> Labels, NamespaceQuota Quota)
{
    /// <summary>With the value <c>true</c>: all other namespaces may have its blobs; containerd's label.</summary>
    public const string ShareableLabel = "containerd.io/namespace.shareable";

    /// <summary>Names the snapshotter that is used where none is asked for; containerd's label.</summary>
    public const string DefaultSnapshotterLabel = "containerd.io/defaults/snapshotter";
}
