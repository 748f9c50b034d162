using ImageStore.Store.Leases;

namespace ImageStore.Cli.Output;

/// <summary>A lease, and what it keeps.</summary>
internal sealed record LeaseListing(Lease Lease, IReadOnlyList<LeaseResource> Resources);
