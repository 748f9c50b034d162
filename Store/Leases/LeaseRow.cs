namespace ImageStore.Store.Leases;

/// <summary>A lease; the key is <c>namespace/id</c>.</summary>
internal sealed record LeaseRow(DateTimeOffset CreatedAt, Dictionary<string, string> Labels);

/// <summary>That a lease keeps something; the key is <c>namespace/id/type:resource</c>.</summary>
internal sealed record LeaseResourceRow(string Type, string Id);
