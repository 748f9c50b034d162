using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Mounts;

public sealed class IdMapTests
{
    [Theory]
    [InlineData("0:100000:65536")]
    [InlineData("0:1000:1,1:100000:65535")]
    [InlineData("0:4294967294:1")]
    [InlineData("4294967294:0:1")]
    public void Parse_OfAMap_IsWrittenTheSameAgain(string text) => Assert.Equal(text, IdMap.Parse(text).ToString());

    [Fact]
    public void ToKernel_OfAMap_HasALineForEachRange() =>
        Assert.Equal("0 1000 1\n1 100000 65535\n"u8, IdMap.Parse("0:1000:1,1:100000:65535").ToKernel());

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("0:1")]
    [InlineData("0:1:0")]
    [InlineData("0:1:1:1")]
    [InlineData("0:1:-1")]
    [InlineData("0:+1:1")]
    [InlineData("0: 1:1")]
    [InlineData("0:1:4294967296")]
    [InlineData("0:1:1,")]
    [InlineData("1:0:4294967295")]
    [InlineData("0:4294967295:1")]
    [InlineData("0:0:10,9:100:1")]
    [InlineData("0:0:10,100:5:1")]
    public void Parse_OfWhatIsNoMap_IsInvalidArgument(string text) => Assert.Equal(ErrorKind.InvalidArgument, Kind(() => IdMap.Parse(text)));

    [Fact]
    public void Of_MoreRangesThanTheKernelTakes_IsInvalidArgument()
    {
        static IdMap Make(uint ranges, uint host) => IdMap.Of(Enumerable.Range(0, (int)ranges).Select(i => new IdMapRange((uint)i, host + (uint)i, 1)));

        Assert.Equal(IdMap.MaxRanges, Make(IdMap.MaxRanges, 1000).Ranges.Count);
        Assert.Equal(ErrorKind.InvalidArgument, Kind(() => Make(IdMap.MaxRanges + 1, 1000)));
        // Within the number of ranges, yet beyond a page.
        Assert.Equal(ErrorKind.InvalidArgument, Kind(() => Make(IdMap.MaxRanges, 1_000_000_000)));
    }

    [Fact]
    public void FromLabels_OneMapAlone_IsInvalidArgument()
    {
        var both = new Dictionary<string, string> { [IdMapPair.UserLabel] = "0:1:1", [IdMapPair.GroupLabel] = "0:2:1" };

        Assert.Equal(both, IdMapPair.FromLabels(both)!.ToLabels().ToDictionary());
        Assert.Null(IdMapPair.FromLabels(new Dictionary<string, string>()));
        both.Remove(IdMapPair.UserLabel);
        Assert.Equal(ErrorKind.InvalidArgument, Kind(() => IdMapPair.FromLabels(both)));
    }

    private static ErrorKind Kind(Action action) => Assert.Throws<ImageStoreException>(action).Kind;
}
