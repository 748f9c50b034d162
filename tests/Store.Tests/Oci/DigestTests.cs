using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Tests.Oci;

public sealed class DigestTests
{
    private const string Hex64 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void Compute_EmptyInput_IsTheKnownDigest() =>
        Assert.Equal("sha256:" + Hex64, Digest.Compute([]).ToString());

    [Fact]
    public void Parse_Sha512_RoundTrips()
    {
        var digest = Digest.Compute("abc"u8, DigestAlgorithm.Sha512);
        var parsed = Digest.Parse(digest.ToString());
        Assert.Equal(digest, parsed);
        Assert.Equal(DigestAlgorithm.Sha512, parsed.Algorithm);
        Assert.Equal(("sha512", 128), (parsed.AlgorithmName, parsed.Hex.Length));
    }

    [Theory]
    [InlineData("")]
    [InlineData(Hex64)]
    [InlineData("sha256:")]
    [InlineData("sha256:" + Hex64 + "\n")]
    [InlineData("sha256:" + Hex64 + "0")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("sha256:../../../../../../etc/passwd/../../../../../../../../etc/passwd/x")]
    [InlineData("sha512:" + Hex64)]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("0:" + Hex64)]
    public void Parse_NotADigest_IsInvalidArgument(string text)
    {
        Assert.False(Digest.TryParse(text, out _));
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => Digest.Parse(text)).Kind);
    }

    [Fact]
    public void ToString_Default_Throws() => Assert.Throws<InvalidOperationException>(() => default(Digest).ToString());

    [Fact]
    public void ChainIdOf_TwoLayers_HashesTheConcatenation()
    {
        var (a, b) = (Digest.Compute("a"u8), Digest.Compute("b"u8));
        var chain = ChainId.Of([a, b]);
        Assert.Equal([a, Digest.Compute(System.Text.Encoding.ASCII.GetBytes($"{a} {b}"))], chain);
    }
}
