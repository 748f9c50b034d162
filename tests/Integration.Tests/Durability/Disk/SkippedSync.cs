namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>A sync that is left out, to see whether it is missed.</summary>
internal sealed record SkippedSync(int Entered, int Left, DiskOperation Sync) : DiskOperation(Entered, Left)
{
    public override string ToString() => $"left out: {Sync}";
}
