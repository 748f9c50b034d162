using System.Collections.Immutable;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>What has been acknowledged. Keys of images and leases begin with the namespace and a blank.</summary>
internal sealed record Facts
{
    private const string Image = "image ";
    private const string Pin = "pin ";
    private const string Lease = "lease ";
    private const string Held = "held ";
    private const string Label = "label ";

    /// <summary>What stands for a fact that is so or not.</summary>
    public const string Yes = "yes";

    /// <summary>All of them: what an image is called and stands for, what is pinned, the leases and what each holds, and namespaces' labels.</summary>
    public ImmutableSortedDictionary<string, string> Rows { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Committed snapshots that are there as long as the machine is not started anew.</summary>
    public ImmutableHashSet<string> Snapshots { get; init; } = [];

    /// <summary>Committed snapshots that are there for good.</summary>
    public ImmutableHashSet<string> SyncedSnapshots { get; init; } = [];

    public static string ImageKey(string ns, string name) => $"{Image}{ns} {name}";

    public static string PinKey(string ns, string name) => $"{Pin}{ns} {name}";

    public static string LeaseKey(string ns, string id) => $"{Lease}{ns} {id}";

    public static string HeldKey(string ns, string id, string resource) => $"{Held}{ns} {id} {resource}";

    public static string LabelKey(string ns, string label) => $"{Label}{ns} {label}";

    /// <summary>Whether the first key is of something that the lease of the second one holds.</summary>
    public static bool IsHeldBy(string heldKey, string leaseKey) =>
        leaseKey.StartsWith(Lease, StringComparison.Ordinal) && heldKey.StartsWith($"{Held}{leaseKey[Lease.Length..]} ", StringComparison.Ordinal);

    public bool HasImage(string ns, string name) => Rows.ContainsKey(ImageKey(ns, name));

    public Facts Named(string ns, string name, string digest) => this with { Rows = Rows.SetItem(ImageKey(ns, name), digest) };

    public Facts Unnamed(string ns, string name) => this with { Rows = Rows.Remove(ImageKey(ns, name)).Remove(PinKey(ns, name)) };

    public Facts Pinned(string ns, string name) => this with { Rows = Rows.SetItem(PinKey(ns, name), Yes) };

    public Facts Labelled(string ns, string label, string value) => this with { Rows = Rows.SetItem(LabelKey(ns, label), value) };

    public Facts Leased(string ns, string id) => this with { Rows = Rows.SetItem(LeaseKey(ns, id), Yes) };

    public Facts Holding(string ns, string id, params IEnumerable<string> resources) =>
        this with { Rows = Rows.SetItems(resources.Select(one => KeyValuePair.Create(HeldKey(ns, id, one), Yes))) };

    public Facts Unleased(string ns, string id)
    {
        var held = Rows.Keys.Where(key => key.StartsWith(HeldKey(ns, id, string.Empty), StringComparison.Ordinal));
        return this with { Rows = Rows.Remove(LeaseKey(ns, id)).RemoveRange(held) };
    }

    /// <summary>Without the snapshots of an image that alone had them.</summary>
    public Facts Discarded(string ns, IEnumerable<string> chain)
    {
        var keys = chain.Select(id => $"{ns} {id}").ToList();
        return this with { Snapshots = Snapshots.Except(keys), SyncedSnapshots = SyncedSnapshots.Except(keys) };
    }

    public Facts Unpacked(string ns, IEnumerable<string> chain, bool synced)
    {
        var keys = chain.Select(id => $"{ns} {id}").ToList();
        return this with { Snapshots = Snapshots.Union(keys), SyncedSnapshots = synced ? SyncedSnapshots.Union(keys) : SyncedSnapshots };
    }
}
