using ImageStore.Engine.Pull;
using ImageStore.Store;

namespace ImageStore.Engine.Tests.Prepull;

/// <summary>A pin goes with the last set that brought it, and never where somebody else had it.</summary>
public sealed class PinClaimsTests
{
    private static readonly Dictionary<string, string> s_byHand = new() { [Labels.Pinned] = "pinned" };

    [Fact]
    public void Release_OfTheOnlySet_TakesThePinAndLeavesOtherLabels()
    {
        var claimed = Claim(new Dictionary<string, string> { ["a"] = "b" }, "one");
        Assert.True(PinClaims.IsPinned(claimed));
        Assert.True(PinClaims.Has(claimed, "one"));
        Assert.False(PinClaims.Has(claimed, "on"));

        Assert.Equal(new Dictionary<string, string> { ["a"] = "b" }, PinClaims.Release(claimed, "one"));
    }

    [Theory]
    [InlineData("one", "two")]
    [InlineData("two", "one")]
    public void Release_OfOneOfTwo_LeavesThePinToTheOther(string first, string second)
    {
        var claimed = Claim(Claim(Labels.None, "one"), "two");

        var once = PinClaims.Release(claimed, first);
        Assert.True(PinClaims.IsPinned(once));
        Assert.Empty(PinClaims.Release(once, second));
    }

    [Fact]
    public void Release_OfWhatWasPinnedByHandBefore_LeavesThePin()
    {
        var claimed = Claim(Claim(s_byHand, "one"), "two");
        Assert.Equal(s_byHand, PinClaims.Release(PinClaims.Release(claimed, "one"), "two"));
    }

    [Fact]
    public void Release_OfWhatWasPinnedByHandAfterwards_LeavesThePin()
    {
        var claimed = Claim(Labels.None, "one");
        var byHand = Labels.Merge(claimed, PinClaims.ByHand(claimed, pinned: true));
        Assert.Equal(s_byHand, byHand);

        Assert.Equal(s_byHand, PinClaims.Release(Claim(byHand, "one"), "one"));
    }

    [Fact]
    public void Claim_OfWhatWasUnpinnedByHand_PinsItAgain()
    {
        var claimed = Claim(Labels.None, "one");
        var unpinned = Labels.Merge(claimed, PinClaims.ByHand(claimed, pinned: false));
        Assert.Empty(unpinned);

        Assert.Equal(claimed, PinClaims.Claim(unpinned, "one"));
    }

    [Fact]
    public void Claim_OfWhatTheSetHasAlready_ChangesNothing() => Assert.Null(PinClaims.Claim(Claim(Labels.None, "one"), "one"));

    private static IReadOnlyDictionary<string, string> Claim(IReadOnlyDictionary<string, string> labels, string set) => PinClaims.Claim(labels, set)!;
}
