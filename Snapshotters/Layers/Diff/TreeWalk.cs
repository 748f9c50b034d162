namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Walks two trees side by side and tells what is not the same, in the order of names, directories before what is in them.</summary>
/// <remarks>
/// A directory is told also when only something in it differs: who unpacks a layer touches it, and has to know its metadata.
/// Where the upper tree is the lower one with a layer on top, that layer alone is walked: what it has not is the same.
/// </remarks>
internal sealed class TreeWalk(
    EntryComparison comparison, (LinkGroups Upper, LinkGroups Lower)? links, LayerLimits limits, Action<TreeChange> take,
    CancellationToken cancellationToken)
{
    private const uint RootMode = 0x41ED;

    // Directories on the way here that are the same themselves.
    private readonly List<TreeChange> _above = [];

    /// <summary>Walks.</summary>
    /// <param name="upper">The tree, or its topmost layer alone.</param>
    /// <param name="lower">What it is compared with; null for nothing.</param>
    /// <param name="isSparse">Is <paramref name="upper"/> only the topmost layer?</param>
    /// <exception cref="Store.Errors.ImageStoreException">Something that no layer can hold.</exception>
    /// <exception cref="OverlayIndirectionException">The trees have to be mounted.</exception>
    public void Run(LayeredDirectory upper, LayeredDirectory? lower, bool isSparse)
    {
        var root = upper.Self(string.Empty);
        if (lower is null)
        {
            // Without an entry a root is 0755, of root, and as old as 1970; its time alone is no reason to tell it.
            _above.Add(new TreeChange(ChangeKind.Added, string.Empty, root) { IsRootsTime = true });
            if (root.Status.Mode != RootMode || root.Status.Uid != 0 || root.Status.Gid != 0 || EntryAttributes.Read(root).Count > 0)
            {
                _above[0] = _above[0] with { IsRootsTime = false };
                TellAbove();
            }
        }
        else
        {
            var below = lower.Self(string.Empty);
            if (!comparison.AreSame(root, below, string.Empty))
            {
                take(new TreeChange(ChangeKind.Modified, string.Empty, root)
                {
                    IsRootsTime = (root.Status.Mode, root.Status.Uid, root.Status.Gid) == (below.Status.Mode, below.Status.Uid, below.Status.Gid)
                        && EntryAttributes.AreSame(root, below),
                });
            }
        }

        Children(upper, lower, string.Empty, 1, isSparse, isForced: false);
    }

    private void Children(LayeredDirectory upper, LayeredDirectory? lower, string path, int depth, bool isSparse, bool isForced)
    {
        var names = upper.Names();
        if (!isSparse && lower is not null)
        {
            names.UnionWith(lower.Names());
        }

        foreach (var name in names)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var child = TreePath.Join(path, name);
            var below = lower?.Find(name, child);
            if (upper.Find(name, child) is { } found)
            {
                CheckName(child, name, depth);
                if (found.IsDirectory)
                {
                    Directory(upper, found, lower, below, child, depth, isSparse, isForced);
                }
                else
                {
                    File(found, below, child, isForced);
                }
            }
            else if (below is { } deleted)
            {
                Tell(new TreeChange(ChangeKind.Deleted, child, deleted) { IsCovered = isForced });
            }
        }
    }

    private void Directory(
        LayeredDirectory parent, FoundEntry found, LayeredDirectory? lowerParent, FoundEntry? below, string path, int depth,
        bool isSparse, bool isForced)
    {
        using var upper = parent.Enter(found, path);
        using var lower = below is { IsDirectory: true } ? lowerParent!.Enter(below.Value, path) : null;
        var isOpaque = isSparse && lower is not null && upper.IsOpaque;
        var isSame = lower is not null && comparison.AreSame(found, below!.Value, path);
        var change = new TreeChange(
            below is null ? ChangeKind.Added : isSame && !isOpaque && isForced ? ChangeKind.Unchanged : ChangeKind.Modified, path, found)
        {
            IsOpaque = isOpaque,
        };
        var before = _above.Count;
        if (!isSame || isOpaque || isForced)
        {
            Tell(change);
        }
        else
        {
            _above.Add(change);
        }

        Children(upper, lower, path, depth + 1, isSparse && !isOpaque, isForced || isOpaque);
        if (_above.Count > before)
        {
            _above.RemoveAt(_above.Count - 1);
        }
    }

    private void File(FoundEntry found, FoundEntry? below, string path, bool isForced)
    {
        var isSame = below is { } other && HasSameLinks(found, other) && comparison.AreSame(found, other, path);
        if (!isSame || isForced)
        {
            Tell(new TreeChange(below is null ? ChangeKind.Added : isSame ? ChangeKind.Unchanged : ChangeKind.Modified, path, found));
        }
    }

    // In a layer by itself a file with several names was linked there: all names of it have to come along.
    private bool HasSameLinks(in FoundEntry found, in FoundEntry below) =>
        links is { } groups ? LinkGroups.AreSame(groups.Upper, found, groups.Lower, below) : !found.IsLinked;

    private void CheckName(string path, byte[] name, int depth)
    {
        TreePath.Check(path, depth, limits);
        if (path.AsSpan(path.LastIndexOf('/') + 1).StartsWith(WhiteoutNames.Prefix, StringComparison.Ordinal))
        {
            throw DiffFault.Unsupported(path, $"has a name that begins with {WhiteoutNames.Prefix}, which in a layer removes what is below");
        }
    }

    private void Tell(TreeChange change)
    {
        TellAbove();
        take(change);
    }

    private void TellAbove()
    {
        _above.ForEach(take);
        _above.Clear();
    }
}
