using System.Collections.Immutable;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>What has been acknowledged; every key begins with the namespace and a blank.</summary>
internal sealed record Facts
{
    /// <summary>Names and the digests that they stand for.</summary>
    public ImmutableSortedDictionary<string, string> Images { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    public ImmutableHashSet<string> Pinned { get; init; } = [];

    /// <summary>Leases and what they hold, as <c>type:id</c>.</summary>
    public ImmutableSortedDictionary<string, ImmutableHashSet<string>> Leases { get; init; } =
        ImmutableSortedDictionary.Create<string, ImmutableHashSet<string>>(StringComparer.Ordinal);

    /// <summary>Committed snapshots that are there as long as the machine is not started anew.</summary>
    public ImmutableHashSet<string> Snapshots { get; init; } = [];

    /// <summary>Committed snapshots that are there for good.</summary>
    public ImmutableHashSet<string> SyncedSnapshots { get; init; } = [];

    public Facts Named(string key, string digest) => this with { Images = Images.SetItem(key, digest) };

    public Facts Unnamed(string key) => this with { Images = Images.Remove(key), Pinned = Pinned.Remove(key) };

    public Facts Unpacked(string ns, IEnumerable<string> chain, bool synced)
    {
        var keys = chain.Select(id => $"{ns} {id}").ToList();
        return this with { Snapshots = Snapshots.Union(keys), SyncedSnapshots = synced ? SyncedSnapshots.Union(keys) : SyncedSnapshots };
    }

    public Facts Holding(string lease, params IEnumerable<string> resources) =>
        this with { Leases = Leases.SetItem(lease, (Leases.GetValueOrDefault(lease) ?? []).Union(resources)) };
}
