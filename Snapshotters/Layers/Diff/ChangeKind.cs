namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>How a path of the upper tree stands to the lower one.</summary>
public enum ChangeKind
{
    /// <summary>Only the upper tree has it.</summary>
    Added = 1,

    /// <summary>Both have it, and not the same; or it is a directory with a change in it.</summary>
    Modified,

    /// <summary>Only the lower tree has it.</summary>
    Deleted,

    /// <summary>It is the same, but a layer has to bring it: what is opaque above hides all that is below.</summary>
    Unchanged,
}
