using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Tests.Registry;

public sealed class ImageReferenceTests
{
    private const string Sha = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("alpine", "docker.io/library/alpine:latest")]
    [InlineData("user/x:1", "docker.io/user/x:1")]
    [InlineData("localhost/x", "localhost/x:latest")]
    [InlineData("host:5000/a/b:t", "host:5000/a/b:t")]
    [InlineData("[::1]:5000/x", "[::1]:5000/x:latest")]
    [InlineData("docker.io/alpine", "docker.io/library/alpine:latest")]
    [InlineData("a__b/c---d.e", "docker.io/a__b/c---d.e:latest")]
    [InlineData("host:5000/x:t@" + Sha, "host:5000/x@" + Sha)]
    public void Parse_Valid_GivesCanonicalName(string text, string canonical) =>
        Assert.Equal(canonical, ImageReference.Parse(text).Canonical);

    [Theory]
    [InlineData("")]
    [InlineData("-alpine")]
    [InlineData("Alpine")]
    [InlineData("a b")]
    [InlineData("a\u001b[1m")]
    [InlineData("a:")]
    [InlineData("a:.t")]
    [InlineData("a@sha256:12")]
    [InlineData("a//b")]
    [InlineData("a..b/c/..")]
    [InlineData("host:99999/x")]
    [InlineData("a___b")]
    public void Parse_Invalid_Refused(string text)
    {
        var error = Assert.Throws<ImageStoreException>(() => ImageReference.Parse(text));
        Assert.Equal(ErrorKind.InvalidArgument, error.Kind);
        Assert.DoesNotContain('\u001b', error.Message);
    }

    [Fact]
    public void Parse_TooLong_Refused() =>
        Assert.Throws<ImageStoreException>(() => ImageReference.Parse(new string('a', 256)));
}
