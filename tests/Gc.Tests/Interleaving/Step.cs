namespace ImageStore.Gc.Tests.Interleaving;

/// <summary>Something that a user of the store does.</summary>
/// <param name="Act">What.</param>
/// <param name="Ns">In which namespace.</param>
/// <param name="A">On which thing; taken modulo what there is.</param>
/// <param name="B">With which other one.</param>
internal sealed record Step(Act Act, int Ns, int A, int B);

internal enum Act
{
    Commit,
    CommitLeased,
    Refer,
    ReferToSnapshot,
    ReferBack,
    ReferBackToSnapshot,
    KeepWhileUsed,
    ForgetLabels,
    Root,
    Tag,
    TagForAWhile,
    Pin,
    Untag,
    Lease,
    LeaseFlat,
    LeaseForAWhile,
    LeaseBlob,
    LeaseSnapshot,
    LeaseImage,
    EndLease,
    Prepare,
    CommitSnapshot,
    RemoveSnapshot,
    UseSnapshot,
    RootSnapshot,
    PassTime,
    SetClock,
    Collect,
}
