using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Tests.Support;
using ImageStore.Distribution.Transfer;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Transfer;

/// <summary>What of an image is copied, in which order, and with how few requests.</summary>
public sealed class ImageCopierTests : IAsyncDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-copier-");
    private readonly RegistryPair _pair = new();
    private readonly Descriptor _index;

    public ImageCopierTests() => _index = TestImages.WriteIndex(In("layout"), "linux/amd64", "linux/arm64", "linux/riscv64");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _pair.DisposeAsync();
        _work.Delete(recursive: true);
    }

    [Fact]
    public async Task Copy_WholeIndex_BlobsThenManifestsThenTheTag()
    {
        var result = await PushAsync(new CopyOptions());

        Assert.Equal(_index.Digest, result.Target.Digest);
        Assert.Equal(await File.ReadAllBytesAsync(In($"layout/{OciLayoutSource.BlobFile(_index.Digest)}"), Ct), _pair.Registry.Find("/v2/r/manifests/1"));
        var puts = _pair.Registry.Requests.Where(request => request.Method == "PUT").Select(request => request.Target).ToList();
        Assert.Equal("/v2/r/manifests/1", puts[^1]);
        var firstManifest = puts.FindIndex(target => target.Contains("/manifests/", StringComparison.Ordinal));
        Assert.DoesNotContain(puts[firstManifest..], target => target.Contains("/blobs/", StringComparison.Ordinal));
        Assert.Equal(7, result.BlobsCopied);
    }

    [Fact]
    public async Task Copy_Again_IsOneRequest()
    {
        await PushAsync(new CopyOptions());
        _pair.Registry.Requests.Clear();

        var result = await PushAsync(new CopyOptions());

        Assert.True(result.UpToDate);
        Assert.Equal("HEAD /v2/r/manifests/1", Assert.Single(_pair.Asked));
    }

    [Fact]
    public async Task Copy_OnePlatform_IsThatImageByteForByte()
    {
        var result = await PushAsync(new CopyOptions { Platforms = [Platform.Parse("linux/arm64")] });

        Assert.Equal(MediaTypes.OciManifest, result.Target.MediaType);
        Assert.Equal(3, result.BlobsCopied);
    }

    [Fact]
    public async Task Copy_TwoPlatforms_MakesAnIndexOfThem()
    {
        var result = await PushAsync(new CopyOptions { Platforms = [Platform.Parse("linux/arm64"), Platform.Parse("linux/amd64")] });

        var index = OciDocument.ParseIndex(_pair.Registry.Find("/v2/r/manifests/1")!, MediaTypes.OciIndex);
        Assert.Equal(["linux/amd64", "linux/arm64"], index.Manifests.Select(entry => entry.Platform!.ToString()));
        Assert.NotEqual(_index.Digest, result.Target.Digest);
    }

    [Fact]
    public async Task Copy_Sparse_KeepsTheIndexAndItsDigest()
    {
        var result = await PushAsync(new CopyOptions { Platforms = [Platform.Parse("linux/arm64")], Sparse = true });

        Assert.Equal(_index.Digest, result.Target.Digest);
        Assert.Equal(2, result.Manifests);
    }

    [Fact]
    public async Task Copy_PlatformIsMissing_SaysWhichThereAre()
    {
        var failure = await Assert.ThrowsAsync<ImageStoreException>(
            () => PushAsync(new CopyOptions { Platforms = [Platform.Parse("linux/s390x")] }));

        Assert.Equal(ErrorKind.NotFound, failure.Kind);
        Assert.Contains("linux/riscv64", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_pair.Registry.Requests, request => request.Method is "PUT" or "POST");
    }

    [Fact]
    public async Task Copy_Referrers_AndWhatRefersToThem_ComeAlong()
    {
        var sbom = TestImages.WriteManifest(In("layout"), "sbom", _index, "application/spdx+json");
        var signature = TestImages.WriteManifest(In("layout"), "signature", sbom, "application/x-signature");
        TestImages.Finish(In("layout"), LayoutNames.Entry(_index, TestImages.Name), LayoutNames.Bare(sbom), LayoutNames.Bare(signature));

        await PushAsync(new CopyOptions { Referrers = true });

        Assert.NotNull(_pair.Registry.Find($"/v2/r/manifests/{signature.Digest}"));
        Assert.Equal(sbom.Digest, Assert.Single(await _pair.Repository.ListReferrersAsync(_index.Digest, null, Ct)).Digest);
        Assert.Equal(signature.Digest, Assert.Single(await _pair.Repository.ListReferrersAsync(sbom.Digest, null, Ct)).Digest);
    }

    [Fact]
    public async Task Copy_DigestTags_KeepTheirNames()
    {
        var signature = TestImages.WriteManifest(In("layout"), "signature");
        var tag = $"sha256-{_index.Digest.Hex}.sig";
        TestImages.Finish(In("layout"), LayoutNames.Entry(_index, TestImages.Name), LayoutNames.Entry(signature, tag));

        await PushAsync(new CopyOptions { DigestTags = true });

        Assert.NotNull(_pair.Registry.Find($"/v2/r/manifests/{tag}"));
    }

    [Fact]
    public async Task Copy_DryRun_WritesNothing()
    {
        var result = await PushAsync(new CopyOptions { DryRun = true });

        Assert.Equal(7, result.BlobsCopied);
        Assert.All(_pair.Registry.Requests, request => Assert.Equal("HEAD", request.Method));
    }

    [Fact]
    public async Task Copy_BlobOfTheSourceIsDamaged_NoManifestIsWritten()
    {
        var layer = Digest.Compute("the layer of linux/arm64"u8);
        File.WriteAllText(In($"layout/{OciLayoutSource.BlobFile(layer)}"), "THE layer of linux/arm64");

        await Assert.ThrowsAsync<ImageStoreException>(() => PushAsync(new CopyOptions()));

        Assert.DoesNotContain(_pair.Registry.Requests, request => request.Method == "PUT" && request.Target.Contains("/manifests/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Copy_BetweenRepositoriesOfARegistry_MountsAndReadsNoBlob()
    {
        await PushAsync(new CopyOptions());
        _pair.Registry.Requests.Clear();
        await using var source = new RepositorySource(_pair.Open("r"));
        await using var target = new RepositoryTarget(_pair.Open("other"));

        var result = await new ImageCopier(source, target, new CopyOptions(), new BlobLocations())
            .CopyAsync((await source.FindAsync("1", Ct))!, "1", new TransferProgress(), Ct);

        Assert.Equal((0, 7), (result.BlobsCopied, result.BlobsMounted));
        Assert.DoesNotContain(_pair.Registry.Requests, request => request.Method == "GET" && request.Target.Contains("/blobs/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Copy_SeveralAtOnce_SendSharedBlobsOnce()
    {
        var other = TestImages.WriteIndex(In("second"), "linux/s390x");
        var locations = new BlobLocations();

        await Task.WhenAll(PushAsync(new CopyOptions(), "layout", "a", locations), PushAsync(new CopyOptions(), "second", "b", locations));

        var shared = Digest.Compute("a layer that all share"u8);
        Assert.Single(_pair.Registry.Requests, request =>
            request.Method == "PUT" && request.Target.Contains(Uri.EscapeDataString(shared.ToString()), StringComparison.Ordinal));
        Assert.NotNull(_pair.Registry.Find($"/v2/b/manifests/{other.Digest}"));
    }

    [Fact]
    public async Task Copy_OfEverythingThatTheSpecificationAllows_IsTheSameBytes()
    {
        var empty = TestImages.Blob(In("odd"), "{}"u8.ToArray(), "application/vnd.oci.empty.v1+json");
        var none = TestImages.Blob(In("odd"), [], "application/x-nothing");
        var child = TestImages.WriteManifest(In("odd"), "child");
        var artifact = Document(
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","artifactType":"a/b","config":{{Inline(empty)}},"layers":[],"subject":{{Entry(child)}}}""",
            MediaTypes.OciManifest);
        var old = Document($$"""{"mediaType":"{{MediaTypes.OciArtifactManifest}}","artifactType":"a/b","blobs":[{{Entry(none)}}]}""", MediaTypes.OciArtifactManifest);
        var inner = Document($$"""{"schemaVersion":2,"manifests":[{{Entry(child)}},{{Entry(artifact)}}]}""", MediaTypes.OciIndex);
        var outer = Document(
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{Entry(inner)}},{{Entry(old)}},{{Entry(child)}}],"annotations":{"a":"ü"} }""",
            MediaTypes.OciIndex);
        TestImages.Finish(In("odd"), LayoutNames.Entry(outer, TestImages.Name));

        var result = await PushAsync(new CopyOptions(), "odd");

        Assert.Equal(outer.Digest, result.Target.Digest);
        Assert.All(
            (Descriptor[])[child, artifact, old, inner, outer],
            document => Assert.Equal(
                File.ReadAllBytes(In($"odd/{OciLayoutSource.BlobFile(document.Digest)}")), _pair.Registry.Find($"/v2/r/manifests/{document.Digest}")));
        Assert.Empty(_pair.Registry.Find($"/v2/r/blobs/{none.Digest}")!);
        Assert.Equal("{}"u8.ToArray(), _pair.Registry.Find($"/v2/r/blobs/{empty.Digest}"));

        Descriptor Document(string json, string mediaType) => TestImages.Blob(In("odd"), System.Text.Encoding.UTF8.GetBytes(json), mediaType);
        static string Entry(Descriptor one) => $$"""{"mediaType":"{{one.MediaType}}","digest":"{{one.Digest}}","size":{{one.Size}}}""";
        static string Inline(Descriptor one) => Entry(one)[..^1] + ""","data":"e30="}""";
    }

    [Fact]
    public async Task Copy_TagsOfOneImageAtOnce_WriteEachManifestOnce()
    {
        // docker-registry 2.8 answers DIGEST_INVALID to one of two writers of the same manifest.
        var locations = new BlobLocations();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => PushAsync(new CopyOptions(), tag: $"{i}", locations: locations)));

        Assert.All(Enumerable.Range(0, 8), i => Assert.NotNull(_pair.Registry.Find($"/v2/r/manifests/{i}")));
        var puts = _pair.Registry.Requests.Where(request => request.Method == "PUT" && request.Target.Contains("/manifests/", StringComparison.Ordinal));
        Assert.All(puts.GroupBy(request => request.Target), group => Assert.Single(group));
    }

    [Fact]
    public async Task Copy_ForeignLayerThatNobodyHolds_IsLeftOutAndNeverFetched()
    {
        await using var elsewhere = new FakeRegistry();
        var foreign = new Descriptor
        {
            MediaType = MediaTypes.DockerForeignLayer, Digest = Digest.Compute("foreign"u8), Size = 7, Urls = [$"http://{elsewhere.Host}/layer"],
        };
        var config = TestImages.Blob(In("layout"), "{}"u8.ToArray(), MediaTypes.DockerConfig);
        var manifest = new Manifest { SchemaVersion = 2, MediaType = MediaTypes.DockerManifest, Config = config, Layers = [foreign] };
        var image = TestImages.Blob(
            In("layout"), System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(manifest, OciJson.Writing.Manifest), MediaTypes.DockerManifest);
        TestImages.Finish(In("layout"), LayoutNames.Entry(image, TestImages.Name));

        var result = await PushAsync(new CopyOptions());

        Assert.Equal([foreign.Digest], result.Skipped);
        Assert.Empty(elsewhere.Requests);
    }

    private async Task<CopyResult> PushAsync(
        CopyOptions options, string layout = "layout", string repository = "r", BlobLocations? locations = null, string tag = "1")
    {
        await using var source = OciLayoutSource.OpenFolder(In(layout));
        await using var target = new RepositoryTarget(_pair.Open(repository));
        return await new ImageCopier(source, target, options, locations ?? new BlobLocations())
            .CopyAsync((await source.FindAsync(TestImages.Name, Ct))!, tag, new TransferProgress(), Ct);
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
