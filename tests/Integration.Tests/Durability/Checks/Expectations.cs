namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>What each fact may be: one value where it was acknowledged, several where something died over it.</summary>
internal sealed class Expectations
{
    private static readonly HashSet<string?> s_nothing = [null];

    private readonly Dictionary<string, HashSet<string?>> _allowed = new(StringComparer.Ordinal);

    /// <summary>The facts that may be so; of any other nothing may be there.</summary>
    public IEnumerable<string> Keys => _allowed.Keys;

    /// <summary>Snapshots that have to be there.</summary>
    public IReadOnlyCollection<string> Snapshots { get; init; } = [];

    /// <summary>Blobs that a user removed from under what refers to them, with the namespace: these are missing by right.</summary>
    public IReadOnlySet<string> RemovedBlobs { get; init; } = new HashSet<string>();

    public IReadOnlySet<string?> this[string key] => _allowed.GetValueOrDefault(key, s_nothing);

    /// <summary>Between two acknowledgements each fact is as in one of them; what is the same in both is so.</summary>
    public static Expectations Between(Facts before, Facts after, bool sameBoot)
    {
        var result = new Expectations
        {
            Snapshots = sameBoot
                ? before.Snapshots.Intersect(after.Snapshots)
                : before.SyncedSnapshots.Intersect(after.SyncedSnapshots),
        };
        foreach (var key in before.Rows.Keys.Union(after.Rows.Keys))
        {
            result.Allow(key, before.Rows.GetValueOrDefault(key), after.Rows.GetValueOrDefault(key));
        }

        return result;
    }

    /// <summary>Lets a fact be nothing of what was allowed so far.</summary>
    public void Forget(string key) => _allowed.Remove(key);

    /// <summary>Lets a fact be one of these too.</summary>
    public void Allow(string key, params IEnumerable<string?> values)
    {
        if (!_allowed.TryGetValue(key, out var allowed))
        {
            _allowed[key] = allowed = [];
        }

        allowed.UnionWith(values);
    }
}
