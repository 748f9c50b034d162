namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>One thing that is not the same in two trees.</summary>
/// <param name="Kind">How.</param>
/// <param name="Path">Where; empty for the root.</param>
/// <param name="Entry">What the upper tree has, while the change is told; what was deleted is the lower tree's.</param>
internal readonly record struct TreeChange(ChangeKind Kind, string Path, FoundEntry Entry)
{
    /// <summary>Does the directory hide everything below it at once?</summary>
    public bool IsOpaque { get; init; }

    /// <summary>Is it deleted by an opaque directory above?</summary>
    public bool IsCovered { get; init; }

    /// <summary>Is it a root that differs in its time only, as every root does in which something was done?</summary>
    public bool IsRootsTime { get; init; }
}
