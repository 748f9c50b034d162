using System.Text;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Tests.Oci;

public sealed class OciDocumentTests
{
    private const string D = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Config = "\"config\":{\"mediaType\":\"c\",\"digest\":\"" + D + "\",\"size\":2}";

    [Fact]
    public void ParseManifest_Minimal_ReadsIt()
    {
        var manifest = Manifest("{\"schemaVersion\":2,\"unknown\":[1]," + Config + ",\"layers\":[]}");
        Assert.Equal(D, manifest.Config.Digest.ToString());
        Assert.Empty(manifest.Layers);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("<html>")]
    [InlineData("{\"schemaVersion\":1," + Config + ",\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2," + Config + ",\"layers\":null}")]
    [InlineData("{\"schemaVersion\":2," + Config + ",\"layers\":[null]}")]
    [InlineData("{\"schemaVersion\":2," + Config + "}")]
    [InlineData("{\"schemaVersion\":2,\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2," + Config + "," + Config + ",\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2," + Config + ",\"layers\":[],\"manifests\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"mediaType\":\"other\"," + Config + ",\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"" + D + "\",\"size\":-1},\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"" + D + "\",\"size\":1.5},\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"" + D + "\",\"size\":9223372036854775808},\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:../x\",\"size\":2},\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2," + Config + ",\"layers\":[]}{}")]
    public void ParseManifest_MalformedOrAmbiguous_IsCorruptData(string json) =>
        Assert.Equal(ErrorKind.CorruptData, Assert.Throws<ImageStoreException>(() => Manifest(json)).Kind);

    [Fact]
    public void ParseManifest_DeepNesting_IsCorruptData() =>
        Assert.Equal(
            ErrorKind.CorruptData,
            Assert.Throws<ImageStoreException>(() => Manifest(new string('[', 100_000))).Kind);

    [Fact]
    public void ParseManifest_TooManyLayers_IsLimitExceeded()
    {
        var layer = "{\"mediaType\":\"l\",\"digest\":\"" + D + "\",\"size\":1}";
        var layers = string.Join(',', Enumerable.Repeat(layer, OciLimits.MaxLayers + 1));
        var failure = Assert.Throws<ImageStoreException>(
            () => Manifest("{\"schemaVersion\":2," + Config + ",\"layers\":[" + layers + "]}"));
        Assert.Equal(ErrorKind.LimitExceeded, failure.Kind);
    }

    [Fact]
    public void ParseIndex_WithLayers_IsCorruptData() =>
        Assert.Equal(
            ErrorKind.CorruptData,
            Assert.Throws<ImageStoreException>(() => OciDocument.ParseIndex(
                "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}"u8.ToArray(), MediaTypes.OciIndex)).Kind);

    [Fact]
    public void ParseConfig_DiffIdsShort_IsCorruptData() =>
        Assert.Equal(
            ErrorKind.CorruptData,
            Assert.Throws<ImageStoreException>(() => OciDocument.ParseConfig(
                "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}"u8.ToArray(), 1)).Kind);

    private static Manifest Manifest(string json) =>
        OciDocument.ParseManifest(Encoding.UTF8.GetBytes(json), MediaTypes.OciManifest);
}
