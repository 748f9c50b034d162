namespace ImageStore.Store.Leases;

/// <summary>A promise to keep what it names from the collector, until it is deleted or expires.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Id">Its name there.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Labels">Its labels; <c>containerd.io/gc.expire</c> holds an RFC 3339 time.</param>
public sealed record Lease(
    string Namespace, string Id, DateTimeOffset CreatedAt, IReadOnlyDictionary<string, string> Labels);

/// <summary>Something that a lease keeps.</summary>
/// <param name="Type"><c>content</c>, <c>ingests</c>, <c>images</c> or <c>snapshots/&lt;snapshotter&gt;</c>.</param>
/// <param name="Id">The digest, ref, name or key.</param>
public sealed record LeaseResource(string Type, string Id);
