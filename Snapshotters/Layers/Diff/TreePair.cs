using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Two trees, and the cheapest way to compare them.</summary>
internal sealed class TreePair(
    IReadOnlyList<Mount> lower, IReadOnlyList<Mount> upper, LayerLimits limits, CancellationToken cancellationToken)
{
    private readonly LayerStack? _lower = LayerStack.TryOf(lower);
    private readonly LayerStack? _upper = LayerStack.TryOf(upper);
    private bool _isMounted;

    /// <summary>Finds out how the trees have to be read, for an output that cannot begin again.</summary>
    public void Try()
    {
        if (_lower is { } below && _upper is { } above)
        {
            try
            {
                Read(below, above, readsBytes: false, static _ => { });
            }
            catch (OverlayIndirectionException)
            {
                _isMounted = true;
            }
        }
    }

    /// <summary>Tells each change.</summary>
    /// <param name="take">Takes the changes.</param>
    /// <param name="restart">Is called when all that was told is to be forgotten, since the trees have to be mounted; null where <see cref="Try"/> came before.</param>
    public void Walk(Action<TreeChange> take, Action? restart = null)
    {
        if (!_isMounted && _lower is { } below && _upper is { } above)
        {
            try
            {
                Read(below, above, readsBytes: true, take);
                return;
            }
            catch (OverlayIndirectionException)
            {
                (restart ?? throw DiffFault.Changed(string.Empty))();
            }
        }

        _isMounted = true;
        using var lowerTree = MountedTree.Of(_lower?.ToReadOnlyMounts() ?? lower);
        using var upperTree = MountedTree.Of(_upper?.ToReadOnlyMounts() ?? upper);
        using var lowerRoot = lowerTree is null ? null : LayeredDirectory.Open([lowerTree.Path], null);
        using var upperRoot = LayeredDirectory.Open([upperTree!.Path], null);
        Compare(upperRoot, lowerRoot, isSparse: false, readsBytes: true, take);
    }

    private void Read(LayerStack below, LayerStack above, bool readsBytes, Action<TreeChange> take)
    {
        var isSparse = above.StandsOn(below);
        var marks = new OverlayMarks(above.IsUser || below.IsUser);
        using var lowerRoot = below.Directories.Count == 0 ? null : LayeredDirectory.Open(below.Directories, marks);
        using var upperRoot = LayeredDirectory.Open(isSparse ? [above.Directories[0]] : above.Directories, marks);
        Compare(upperRoot, lowerRoot, isSparse, readsBytes, take);
    }

    private void Compare(LayeredDirectory above, LayeredDirectory? below, bool isSparse, bool readsBytes, Action<TreeChange> take)
    {
        (LinkGroups, LinkGroups)? links = isSparse || below is null
            ? null
            : (LinkGroups.Of(above, limits, cancellationToken), LinkGroups.Of(below, limits, cancellationToken));
        new TreeWalk(new EntryComparison(readsBytes, cancellationToken), links, limits, take, cancellationToken).Run(above, below, isSparse);
    }
}
