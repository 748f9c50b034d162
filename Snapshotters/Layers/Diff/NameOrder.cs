namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Orders names by their bytes, the same in every locale.</summary>
internal sealed class NameOrder : IComparer<byte[]>
{
    public static NameOrder Instance { get; } = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}
