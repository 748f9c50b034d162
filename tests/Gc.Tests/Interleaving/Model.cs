namespace ImageStore.Gc.Tests.Interleaving;

/// <summary>What the store is to do, in sets and dictionaries: what there is, what keeps what, and from that what is reachable.</summary>
internal sealed class Model
{
    /// <summary>Hours since the course began, by the clock that only runs.</summary>
    public int Uptime { get; set; }

    /// <summary>Hours by the clock that is set.</summary>
    public int Wall { get; set; }

    /// <summary>What is there.</summary>
    public Dictionary<Node, Thing> Things { get; } = [];

    /// <summary>The leases, by namespace and number.</summary>
    public Dictionary<(int Ns, int Index), Lease> Leases { get; } = [];

    public Thing? Find(Node node) => Things.GetValueOrDefault(node);

    public bool HasChildren(Node node) => Things.Values.Any(thing => thing.Parent == node);

    /// <summary>Leases end by the clock that only runs.</summary>
    public bool IsOver(Lease lease) => lease.EndsAt <= Uptime;

    /// <summary>Images end by the one that is set.</summary>
    public bool IsOver(Thing image) => image.EndsAt <= Wall && !image.Pinned;

    /// <summary>What is there and has to stay.</summary>
    public HashSet<Node> Reachable()
    {
        HashSet<Node> followed = [];
        var open = new Stack<Node>(Things.Where(pair => IsRoot(pair.Key, pair.Value)).Select(pair => pair.Key)
            .Concat(Leases.Values.Where(lease => !lease.Flat && !IsOver(lease)).SelectMany(lease => lease.Holds)));
        while (open.TryPop(out var node))
        {
            if (Find(node) is { } thing && followed.Add(node))
            {
                foreach (var next in Kept(node, thing))
                {
                    open.Push(next);
                }
            }
        }

        followed.UnionWith(Leases.Values.Where(lease => lease.Flat && !IsOver(lease)).SelectMany(lease => lease.Holds).Where(Things.ContainsKey));
        return followed;
    }

    private bool IsRoot(Node node, Thing thing) => node.Kind switch
    {
        NodeKind.Active => true,
        NodeKind.Image => !IsOver(thing),
        _ => thing.Rooted,
    };

    private IEnumerable<Node> Kept(Node node, Thing thing) =>
    [
        .. thing.Refers,
        .. thing.Parent is { } parent ? [parent] : (Node[])[],
        .. Things.Where(other => other.Value.RefersBack.Contains(node) || (other.Value.WhileUsed == node && IsUsed(thing))).Select(other => other.Key),
    ];

    private bool IsUsed(Thing snapshot) => snapshot.UsedAt is { } at && Wall - at < Course.UsedHours;
}

/// <summary>What is known of a blob, snapshot or image.</summary>
internal sealed class Thing
{
    public HashSet<Node> Refers { get; } = [];

    /// <summary>What keeps it, by its own labels.</summary>
    public HashSet<Node> RefersBack { get; } = [];

    public bool Rooted { get; set; }

    /// <summary>Of a blob: the snapshot that keeps it while that is used.</summary>
    public Node? WhileUsed { get; set; }

    /// <summary>Of a snapshot.</summary>
    public Node? Parent { get; init; }

    /// <summary>Of a snapshot: the hour of its last use.</summary>
    public int? UsedAt { get; set; }

    /// <summary>Of an image: the hour at which it expires.</summary>
    public int? EndsAt { get; set; }

    public bool Pinned { get; set; }
}

/// <summary>What is known of a lease.</summary>
internal sealed record Lease(Store.Leases.Lease Real, bool Flat, int? EndsAt)
{
    public HashSet<Node> Holds { get; } = [];
}
