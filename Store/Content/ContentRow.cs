namespace ImageStore.Store.Content;

/// <summary>The fact that a namespace sees a blob; the key is <c>namespace/digest</c>.</summary>
internal sealed record ContentRow(
    long Size, Dictionary<string, string> Labels, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
