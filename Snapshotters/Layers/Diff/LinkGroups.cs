namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Which paths of a tree are one file.</summary>
internal sealed class LinkGroups
{
    private readonly Dictionary<(uint, uint, ulong), List<string>> _groups = [];

    /// <summary>Reads the whole tree, and remembers of it only what has several names.</summary>
    public static LinkGroups Of(LayeredDirectory root, LayerLimits limits, CancellationToken cancellationToken)
    {
        var groups = new LinkGroups();
        groups.Add(root, string.Empty, 1, limits, cancellationToken);
        return groups;
    }

    /// <summary>Have both files the same names, each in its own tree?</summary>
    public static bool AreSame(LinkGroups lefts, in FoundEntry left, LinkGroups rights, in FoundEntry right)
    {
        var (a, b) = (lefts.NamesOf(left), rights.NamesOf(right));
        return a is null || b is null ? a is null && b is null : a.SequenceEqual(b, StringComparer.Ordinal);
    }

    // A name alone is no group, whatever the count of links says: the others are outside of the tree, or hidden.
    private List<string>? NamesOf(in FoundEntry entry) =>
        entry.IsLinked && _groups.TryGetValue(Key(entry), out var names) && names.Count > 1 ? names : null;

    private void Add(LayeredDirectory directory, string path, int depth, LayerLimits limits, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        foreach (var name in directory.Names())
        {
            var child = TreePath.Join(path, name);
            if (directory.Find(name, child) is not { } found)
            {
                continue;
            }

            if (found.IsDirectory)
            {
                TreePath.Check(child, depth, limits);
                using var below = directory.Enter(found, child);
                Add(below, child, depth + 1, limits, cancellationToken);
            }
            else if (found.IsLinked)
            {
                (_groups.TryGetValue(Key(found), out var names) ? names : _groups[Key(found)] = []).Add(child);
            }
        }
    }

    private static (uint, uint, ulong) Key(in FoundEntry entry) =>
        (entry.Status.DevMajor, entry.Status.DevMinor, entry.Status.Inode);
}
