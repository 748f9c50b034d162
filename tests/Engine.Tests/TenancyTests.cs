using ImageStore.Engine.Tests.Support;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests;

/// <summary>A tenant gets what another one brought only where it may have it; the check is made, not assumed.</summary>
public sealed class TenancyTests : PullTest
{
    private static readonly byte[] s_secret = ImageBuilder.Tar("secret", 100_000);

    private static string Layer => Digest.Compute(ImageBuilder.Gzip(s_secret)).ToString();

    [Fact]
    public async Task Pull_SecondNamespace_IsVouchedForByTheRegistryThatSentTheBytes()
    {
        Registry.AddImage("latest", s_secret);
        await PullAsync();
        var files = Blobs();
        Registry.Requests.Clear();
        await using var engine = await OpenAsync(ns: "other");
        Assert.Empty(engine.Content.List());

        await PullAsync(engine, Reference());

        Assert.All(Asked(Registry), request => Assert.Equal("HEAD", request.Method));
        Assert.NotEmpty(Asked(Registry));
        Assert.NotNull(engine.Content.Find(Digest.Parse(Layer)));
        Assert.Equal(files.Order(StringComparer.Ordinal), Blobs().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Pull_WhereTheRegistryRefusesTheSecondTenant_HasNothing()
    {
        Registry.AddImage("latest", s_secret);
        await PullAsync();
        Registry.Intercept = request => request.Target.Contains(Layer, StringComparison.Ordinal) ? FakeResponse.Text(403, "{}") : null;
        await using var engine = await OpenAsync(ns: "other");

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, Reference()));

        Assert.Equal(ErrorKind.PermissionDenied, failure.Kind);
        Assert.Null(engine.Content.Find(Digest.Parse(Layer)));
    }

    [Theory]
    [InlineData("absent")]
    [InlineData("lying")]
    public async Task Pull_FromARegistryThatOnlyNamesTheBlob_HasNothing(string how)
    {
        // Whoever knows a digest may write a manifest of it and serve that himself.
        Registry.AddImage("latest", s_secret);
        await PullAsync();
        await using var evil = new FakeRegistry();
        evil.AddImage(
            "latest", [new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = Digest.Parse(Layer), Size = ImageBuilder.Gzip(s_secret).Length }], [Digest.Compute(s_secret)]);
        if (how == "lying")
        {
            evil.Intercept = request => request.Method == "HEAD" && request.Target.Contains(Layer, StringComparison.Ordinal)
                ? new FakeResponse { Body = new byte[ImageBuilder.Gzip(s_secret).Length] }
                : null;
        }

        await using var engine = await OpenAsync(ns: "other");

        await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, $"{evil.Host}/{ImageBuilder.Repository}:latest"));

        Assert.Null(engine.Content.Find(Digest.Parse(Layer)));
        Assert.Throws<ImageStoreException>(() => engine.Content.OpenRead(Digest.Parse(Layer)));
    }

    [Fact]
    public async Task Pull_OfABlobThatTheVictimWasMadeToName_DoesNotMakeThatRegistryItsOrigin()
    {
        // The victim has the layer of the honest registry; the evil one only gets it to pull an image that names it too.
        Registry.AddImage("latest", s_secret);
        await PullAsync();
        await using var evil = new FakeRegistry();
        evil.AddImage(
            "latest", [new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = Digest.Parse(Layer), Size = ImageBuilder.Gzip(s_secret).Length }], [Digest.Compute(s_secret)]);
        evil.Intercept = request => request.Method == "HEAD" && request.Target.Contains(Layer, StringComparison.Ordinal)
            ? new FakeResponse { Body = new byte[ImageBuilder.Gzip(s_secret).Length] }
            : null;
        await PullAsync($"{evil.Host}/{ImageBuilder.Repository}:latest");
        await using var engine = await OpenAsync(ns: "other");

        await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, $"{evil.Host}/{ImageBuilder.Repository}:latest"));

        Assert.Null(engine.Content.Find(Digest.Parse(Layer)));
    }

    [Fact]
    public async Task Pull_OfBytesThatOneMayHave_FromElsewhere_BringsThemAndKeepsThemOnce()
    {
        Registry.AddImage("latest", s_secret);
        await PullAsync();
        await using var mirror = new FakeRegistry();
        mirror.AddImage("latest", s_secret);
        var blobs = Blobs().Length;
        await using var engine = await OpenAsync(ns: "other");

        await PullAsync(engine, $"{mirror.Host}/{ImageBuilder.Repository}:latest");

        Assert.Contains(Asked(mirror), request => request.Method == "GET");
        Assert.Equal(blobs, Blobs().Length);
    }

    [Theory]
    [InlineData(ContentSharing.Shared, false, true)]
    [InlineData(ContentSharing.Isolated, false, false)]
    [InlineData(ContentSharing.Isolated, true, true)]
    [InlineData(ContentSharing.Proof, true, true)]
    public async Task Pull_UnderContainerdsPolicies_SharesAsTheySay(ContentSharing sharing, bool shareable, bool shared)
    {
        Registry.AddImage("latest", s_secret);
        await using (var owner = await OpenAsync())
        {
            await PullAsync(owner, Reference());
            if (shareable)
            {
                await owner.Namespaces.SetLabelsAsync(
                    "default", new Dictionary<string, string> { [NamespaceRecord.ShareableLabel] = "true" }, Ct);
            }
        }

        Registry.Requests.Clear();
        await using var engine = await OpenAsync(ns: "other", sharing: sharing);

        await PullAsync(engine, Reference());

        Assert.Equal(shared, !Asked(Registry).Any(request => request.Method == "GET"));
    }

    private string[] Blobs() => Directory.GetFiles(Path.Combine(Root, "content/blobs/sha256"));

    private static IEnumerable<FakeRequest> Asked(FakeRegistry registry) =>
        registry.Requests.Where(request => request.Target.Contains(Layer, StringComparison.Ordinal));
}
