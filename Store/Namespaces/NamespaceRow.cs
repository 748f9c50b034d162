namespace ImageStore.Store.Namespaces;

/// <summary>A namespace; the key is its name.</summary>
internal sealed record NamespaceRow(DateTimeOffset CreatedAt, Dictionary<string, string> Labels);
