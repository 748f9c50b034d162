using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Tests.Oci;

public sealed class PlatformTests
{
    [Theory]
    [InlineData("amd64", "linux/amd64")]
    [InlineData("linux/x86_64", "linux/amd64")]
    [InlineData("linux/aarch64", "linux/arm64")]
    [InlineData("linux/arm64/v8", "linux/arm64")]
    [InlineData("linux/arm", "linux/arm/v7")]
    [InlineData("linux/arm/6", "linux/arm/v6")]
    [InlineData("linux/armel", "linux/arm/v6")]
    [InlineData("windows/amd64", "windows/amd64")]
    [InlineData("linux/amd64/v3", "linux/amd64/v3")]
    public void Parse_KnownSpelling_IsNormalized(string text, string expected) =>
        Assert.Equal(expected, Platform.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("linux/")]
    [InlineData("a/b/c/d")]
    [InlineData("linux/am d64")]
    public void Parse_Malformed_IsInvalidArgument(string text) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => Platform.Parse(text)).Kind);

    [Theory]
    [InlineData("linux/arm64", "linux/arm64", true)]
    [InlineData("linux/arm64", "linux/arm/v7", true)]
    [InlineData("linux/arm/v7", "linux/arm/v6", true)]
    [InlineData("linux/arm/v6", "linux/arm/v7", false)]
    [InlineData("linux/amd64", "linux/amd64/v3", false)]
    [InlineData("linux/amd64/v3", "linux/amd64", true)]
    [InlineData("linux/amd64", "windows/amd64", false)]
    [InlineData("linux/amd64", "linux/s390x", false)]
    public void Rank_Offered_TellsWhatRuns(string wanted, string offered, bool runs) =>
        Assert.Equal(runs, Platform.Parse(wanted).Rank(Platform.Parse(offered)) > 0);

    [Fact]
    public void CandidatesFor_Index_OrdersBestFirstAndLeavesAttestationsOut()
    {
        var index = new ImageIndex
        {
            SchemaVersion = 2,
            Manifests =
            [
                Entry("unknown/unknown"), Entry(null), Entry("linux/arm/v6"), Entry("linux/arm/v7"), Entry("linux/amd64"),
            ],
        };
        Assert.Equal(
            ["linux/arm/v7", "linux/arm/v6", null],
            index.CandidatesFor(Platform.Parse("linux/arm")).Select(entry => entry.Platform?.ToString()));
    }

    private static Descriptor Entry(string? platform) => new()
    {
        MediaType = MediaTypes.OciManifest,
        Digest = Digest.Compute(System.Text.Encoding.UTF8.GetBytes(platform ?? "none")),
        Size = 1,
        Platform = platform is null ? null : platform == "unknown/unknown"
            ? new Platform { Os = "unknown", Architecture = "unknown" }
            : Platform.Parse(platform),
    };
}
