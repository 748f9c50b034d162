namespace ImageStore.Store.Resources;

/// <summary>What the collector tells apart.</summary>
public enum ResourceKind
{
    /// <summary>A blob; its key is the digest.</summary>
    Content,

    /// <summary>A snapshot; its key is <c>SNAPSHOTTER/NAME</c>.</summary>
    Snapshot,

    /// <summary>An image; its key is the name.</summary>
    Image,

    /// <summary>A lease; its key is the id.</summary>
    Lease,

    /// <summary>A container; its key is the id.</summary>
    Container,
}
