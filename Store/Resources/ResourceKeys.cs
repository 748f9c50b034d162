namespace ImageStore.Store.Resources;

/// <summary>Rows' keys begin with the namespace and a slash.</summary>
internal static class ResourceKeys
{
    public static Resource Parse(ResourceKind kind, string rowKey)
    {
        var slash = rowKey.IndexOf('/', StringComparison.Ordinal);
        return new Resource(kind, rowKey[..slash], rowKey[(slash + 1)..]);
    }

    public static string RowKey(Resource resource) => $"{resource.Namespace}/{resource.Key}";
}
