using ImageStore.Distribution.Transfer.Mirroring;

namespace ImageStore.Distribution.Tests.Transfer.Mirroring;

/// <summary>Which tags are meant.</summary>
public sealed class TagSelectionTests
{
    private static readonly string[] s_tags =
        ["latest", "1.9", "1.10", "v1.11.0", "2.0.0-rc1", "2.0.0", "1.10-alpine", "2.0.0-alpine", "edge", "20240101-x_y"];

    [Theory]
    [InlineData("latest,gone", null, null, null, null, "latest,gone")]
    [InlineData(null, "1.*", null, null, null, "1.10,1.10-alpine,1.9")]
    [InlineData(null, "*", "*-*", null, null, "1.10,1.9,2.0.0,edge,latest,v1.11.0")]
    [InlineData(null, null, null, ">=1.10 <2", null, "v1.11.0,1.10")]
    [InlineData(null, null, null, null, 2, "2.0.0,v1.11.0")]
    [InlineData("latest", null, null, "1.x", 1, "latest,v1.11.0")]
    [InlineData(null, "*-alpine", null, null, 1, "2.0.0-alpine")]
    [InlineData(null, "*-alpine", null, "<2", null, "1.10-alpine")]
    [InlineData(null, "?.*", null, "<2.0.0-a", null, "1.10,1.10-alpine,1.9")]
    [InlineData(null, null, null, ">=9", null, "")]
    public void Choose_TakesWhatIsMeant(string? names, string? pattern, string? except, string? range, int? newest, string expected)
    {
        var selection = new TagSelection(
            names?.Split(',') ?? [],
            pattern is null ? [] : [pattern],
            except is null ? [] : [except],
            range is null ? null : TagSelection.ParseRange(range, prereleases: pattern is not null),
            newest);

        Assert.Equal(expected, string.Join(',', selection.Choose(s_tags)));
    }

    [Fact]
    public void NeedsListing_NamesAlone_DoNot() => Assert.False(TagSelection.Of("1").NeedsListing);
}
