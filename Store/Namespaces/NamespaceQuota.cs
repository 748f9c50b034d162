namespace ImageStore.Store.Namespaces;

/// <summary>How much a namespace may hold; null has no limit.</summary>
/// <param name="Bytes">Bytes of its blobs, unfinished downloads and unpacked layers. What it shares with others counts in full, so that
/// what they do changes nothing for it.</param>
/// <param name="Images">Names of images.</param>
public sealed record NamespaceQuota(long? Bytes, int? Images)
{
    /// <summary>No limits.</summary>
    public static NamespaceQuota None { get; } = new(null, null);
}
