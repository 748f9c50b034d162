namespace ImageStore.Store.Leases;

/// <summary>A lease; the key is <c>namespace/id</c>.</summary>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Ends">When it expires, on the clock that nobody sets; null when it never does.</param>
internal sealed record LeaseRow(DateTimeOffset CreatedAt, Dictionary<string, string> Labels, Deadline? Ends = null)
{
    public bool IsExpired(Moment now) => Store.Labels.IsExpired(Labels, Ends, now);
}

/// <summary>That a lease keeps something; the key is <c>namespace/id/type:resource</c>.</summary>
internal sealed record LeaseResourceRow(string Type, string Id);
