using ImageStore.Integration.Tests.Durability.Checks;

namespace ImageStore.Integration.Tests.Durability.Kills;

/// <summary>What a root may be expected to have in a course in which commands are killed.</summary>
/// <remarks>
/// A command that ended with success has done what it does; one that was killed or refused may have. Of two at a time each
/// fact may be as either leaves it. After each look what is seen is what is so.
/// </remarks>
internal sealed class KillModel
{
    private readonly Dictionary<string, string> _rows = new(StringComparer.Ordinal);
    private readonly HashSet<string> _removedBlobs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _goneBlobs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _snapshots = new(StringComparer.Ordinal);

    /// <summary>The facts as they were seen last.</summary>
    public IReadOnlyDictionary<string, string> Rows => _rows;

    /// <summary>The blobs that were seen last, with the namespace.</summary>
    public IReadOnlyList<string> Blobs { get; private set; } = [];

    /// <summary>Takes a fact that is so before anything is killed.</summary>
    public void Begin(string key, string value) => _rows[key] = value;

    /// <summary>What may be so after commands that ran at the same time.</summary>
    public Expectations After(IReadOnlyList<(KillCommand Command, bool Succeeded)> round)
    {
        Before(round);
        var result = new Expectations { Snapshots = [.. _snapshots], RemovedBlobs = _removedBlobs };
        foreach (var (key, value) in _rows)
        {
            result.Allow(key, value);
        }

        var changes = round.SelectMany(one => one.Command.Changes.Select(change => (change.Key, change.Value, one.Succeeded)));
        foreach (var group in changes.GroupBy(change => change.Key))
        {
            if (group.Any(change => change.Succeeded))
            {
                result.Forget(group.Key);
            }
            else
            {
                result.Allow(group.Key, _rows.GetValueOrDefault(group.Key));
            }

            result.Allow(group.Key, group.Select(change => change.Value));
        }

        foreach (var key in round.SelectMany(one => one.Command.Blurs).Concat(HeldAndLetGo(round)))
        {
            result.Allow(key, null, Facts.Yes);
        }

        return result;
    }

    /// <summary>What the one had a lease hold while the other removed that lease, in whichever order.</summary>
    private static IEnumerable<string> HeldAndLetGo(IReadOnlyList<(KillCommand Command, bool Succeeded)> round)
    {
        var removed = round.SelectMany(one => one.Command.Changes).Where(change => change.Value is null).Select(change => change.Key).ToList();
        return round.SelectMany(one => one.Command.Changes).Where(change => change.Value is not null).Select(change => change.Key)
            .Where(held => removed.Exists(lease => Facts.IsHeldBy(held, lease)));
    }

    /// <summary>Takes what is seen for so, and gives what is wrong with the blobs that were removed.</summary>
    public IEnumerable<Finding> Settle(StoreView view)
    {
        _rows.Clear();
        foreach (var (key, value) in view.Rows())
        {
            _rows[key] = value;
        }

        Blobs = [.. view.Content.Keys];
        return _goneBlobs.Where(view.Content.ContainsKey).Select(blob => new Finding(FindingKind.Returned, $"the blob {blob}, which was removed"));
    }

    private void Before(IReadOnlyList<(KillCommand Command, bool Succeeded)> round)
    {
        foreach (var (command, succeeded) in round)
        {
            if (succeeded && round.All(other => other.Command == command || other.Command.Takes.Count == 0))
            {
                _removedBlobs.ExceptWith(command.Brings);
            }

            _removedBlobs.UnionWith(command.Takes);
            if (succeeded && round.Count == 1)
            {
                _snapshots.UnionWith(command.Unpacks);
                if (command.Gone is { } gone)
                {
                    _goneBlobs.Add(gone);
                }
            }
        }

        foreach (var (command, _) in round)
        {
            _goneBlobs.ExceptWith(command.Brings);
            if (command.Unnames || command.Takes.Count > 0)
            {
                _snapshots.RemoveWhere(snapshot => snapshot.StartsWith(command.Namespace + " ", StringComparison.Ordinal));
            }

            // The one may have taken what the other then told a lease to hold.
            if (round.Any(other => other.Command != command && (other.Command.Collects || other.Command.Takes.Count > 0)))
            {
                _removedBlobs.UnionWith(command.Holds);
            }
        }
    }
}
