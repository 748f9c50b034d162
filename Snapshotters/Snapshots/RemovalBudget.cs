namespace ImageStore.Snapshotters.Snapshots;

/// <summary>How many files a command deletes itself before it leaves the rest to <see cref="RemovedTrees"/>.</summary>
/// <param name="entries">Files and directories.</param>
public sealed class RemovalBudget(long entries)
{
    private long _left = entries;

    /// <summary>All of them: whoever asks for a removal waits for its end.</summary>
    public static RemovalBudget Unlimited { get; } = new(long.MaxValue);

    internal bool Take() => Interlocked.Decrement(ref _left) >= 0;
}
