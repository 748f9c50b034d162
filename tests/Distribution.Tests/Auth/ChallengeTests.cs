using ImageStore.Distribution.Auth;

namespace ImageStore.Distribution.Tests.Auth;

public sealed class ChallengeTests
{
    [Fact]
    public void Parse_SeveralChallenges_KeepsEach()
    {
        var found = Challenge.Parse("Basic realm=\"a, \\\"b\", bearer realm=\"https://t/x?a=b\", service=s");
        Assert.Equal(2, found.Count);
        Assert.Equal("a, \"b", found[0].Parameters["realm"]);
        Assert.True(found[1].Is("Bearer"));
        Assert.Equal("https://t/x?a=b", found[1].Parameters["realm"]);
        Assert.Equal("s", found[1].Parameters["service"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("\"\"\"")]
    [InlineData("=,=")]
    public void Parse_Nonsense_IsEmpty(string? header) => Assert.Empty(Challenge.Parse(header));

    [Fact]
    public void Parse_Hostile_IsBounded()
    {
        Assert.Empty(Challenge.Parse(new string('a', 9000)));
        Assert.Equal(8, Challenge.Parse(string.Join(", ", Enumerable.Repeat("Basic", 100))).Count);
    }
}
