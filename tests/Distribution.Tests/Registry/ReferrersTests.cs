using System.Text;
using System.Text.Json;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Registry;

/// <summary>Referrers, by the API and by the tag schema.</summary>
public sealed class ReferrersTests : IAsyncDisposable
{
    private readonly RegistryPair _pair = new();
    private readonly Descriptor _subject;

    public ReferrersTests() => _subject = Registry.AddManifest(
        "r", "t", Encoding.UTF8.GetBytes($$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}",
             "config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{Digest.Compute("{}"u8)}}","size":2},"layers":[]}
            """));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private FakeRegistry Registry => _pair.Registry;

    public ValueTask DisposeAsync() => _pair.DisposeAsync();

    [Fact]
    public async Task List_RegistryHasTheApi_NoTagIsWritten()
    {
        Registry.Uploads.HasReferrersApi = true;
        var sbom = await PushAsync("application/spdx+json");

        var found = await _pair.Repository.ListReferrersAsync(_subject.Digest, null, Ct);

        Assert.Equal(sbom.Digest, Assert.Single(found).Digest);
        Assert.DoesNotContain(_pair.Asked, asked => asked.Contains("manifests/sha256-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Push_RegistryKnowsNoSubjects_TheTagHasThemWithAllAnnotations()
    {
        var first = await PushAsync("application/spdx+json");
        var second = await PushAsync("application/x-signature");

        var tag = Registry.Find($"/v2/r/manifests/sha256-{_subject.Digest.Hex}");
        var index = OciDocument.ParseIndex(tag!, MediaTypes.OciIndex);
        Assert.Equal([first.Digest, second.Digest], index.Manifests.Select(entry => entry.Digest));
        Assert.All(index.Manifests, entry => Assert.Equal("kept", entry.Annotations?["org.example.note"]));
        Assert.Equal("application/spdx+json", index.Manifests[0].ArtifactType);
        Assert.Equal(
            [second.Digest],
            (await _pair.Repository.ListReferrersAsync(_subject.Digest, "application/x-signature", Ct)).Select(entry => entry.Digest));
    }

    [Fact]
    public async Task Push_Again_IsListedOnce()
    {
        await PushAsync("application/spdx+json");
        await PushAsync("application/spdx+json");

        Assert.Single(await _pair.Repository.ListReferrersAsync(_subject.Digest, null, Ct));
    }

    [Fact]
    public async Task Delete_RegistryKnowsNoSubjects_TheTagLosesIt()
    {
        var first = await PushAsync("application/spdx+json");
        var second = await PushAsync("application/x-signature");

        await _pair.Repository.DeleteAsync(first.Digest.ToString(), Ct);

        Assert.Equal([second.Digest], (await _pair.Repository.ListReferrersAsync(_subject.Digest, null, Ct)).Select(entry => entry.Digest));
    }

    [Fact]
    public async Task List_FilterIsNotApplied_IsAppliedHere()
    {
        Registry.Uploads.HasReferrersApi = true;
        await PushAsync("application/spdx+json");
        var signature = await PushAsync("application/x-signature");

        var found = await _pair.Repository.ListReferrersAsync(_subject.Digest, "application/x-signature", Ct);

        Assert.Equal(signature.Digest, Assert.Single(found).Digest);
        Assert.Contains(_pair.Asked, asked => asked.EndsWith("?artifactType=application%2Fx-signature", StringComparison.Ordinal));
    }

    [Fact]
    public async Task List_SeveralPages_AreAllRead()
    {
        var (first, second) = (Index(Digest.Compute("1"u8)), Index(Digest.Compute("2"u8)));
        Registry.Next(_ => Answer(first, "application/vnd.oci.image.index.v1+json; charset=utf-8", "</v2/r/referrers/next?x=1>; rel=\"next\""));
        Registry.Next(_ => Answer(second, MediaTypes.OciIndex, null));

        Assert.Equal(2, (await _pair.Repository.ListReferrersAsync(_subject.Digest, null, Ct)).Count);
    }

    [Theory]
    [InlineData(404, "text/plain")]
    [InlineData(200, "text/html")]
    [InlineData(405, "text/plain")]
    public async Task List_ApiLeadsToAWebPage_TheTagIsRead(int status, string type)
    {
        await PushAsync("application/spdx+json");
        Registry.Intercept = request => request.Target.Contains("/referrers/", StringComparison.Ordinal)
            ? FakeResponse.Text(status, "<html>", ("Content-Type", type))
            : null;

        Assert.Single(await _pair.Repository.ListReferrersAsync(_subject.Digest, null, Ct));
    }

    [Fact]
    public async Task List_RegistryFails_IsNoEmptyList()
    {
        Registry.Intercept = request => request.Target.Contains("/referrers/", StringComparison.Ordinal) ? FakeResponse.Text(500, "") : null;

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Repository.ListReferrersAsync(_subject.Digest, null, Ct));

        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
    }

    [Fact]
    public void TagOf_Sha512_IsCutToWhatATagMayHold()
    {
        var tag = ReferrerList.TagOf(Digest.Compute("x"u8, DigestAlgorithm.Sha512));

        Assert.Equal("sha512-".Length + 64, tag.Length);
        Assert.True(ReferenceGrammar.IsTag(tag));
    }

    private async Task<Descriptor> PushAsync(string artifactType)
    {
        var bytes = Encoding.UTF8.GetBytes($$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","artifactType":"{{artifactType}}",
             "config":{"mediaType":"{{MediaTypes.OciEmpty}}","digest":"{{Digest.Compute("{}"u8)}}","size":2,"data":"e30="},"layers":[],
             "subject":{"mediaType":"{{_subject.MediaType}}","digest":"{{_subject.Digest}}","size":{{_subject.Size}}},
             "annotations":{"org.example.note":"kept"} }
            """);
        var descriptor = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = Digest.Compute(bytes), Size = bytes.Length };
        await _pair.Repository.PutManifestAsync(new FetchedManifest(descriptor, bytes), null, Ct);
        return descriptor;
    }

    private static byte[] Index(Digest entry) => JsonSerializer.SerializeToUtf8Bytes(
        new ImageIndex
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.OciIndex,
            Manifests = [new Descriptor { MediaType = MediaTypes.OciManifest, Digest = entry, Size = 2 }],
        },
        OciJson.Default.ImageIndex);

    private static FakeResponse Answer(byte[] body, string type, string? link) => new()
    {
        Body = body,
        Headers = link is null
            ? new Dictionary<string, string> { ["Content-Type"] = type }
            : new Dictionary<string, string> { ["Content-Type"] = type, ["Link"] = link },
    };
}
