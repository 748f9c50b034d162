namespace ImageStore.Store.Namespaces;

/// <summary>A namespace; the key is its name.</summary>
internal sealed record NamespaceRow(DateTimeOffset CreatedAt, Dictionary<string, string> Labels, NamespaceQuota? Quota = null)
{
    /// <summary>Whether its owner lets all others have its blobs.</summary>
    public bool IsShareable => Labels.GetValueOrDefault(NamespaceRecord.ShareableLabel) == "true";
}
