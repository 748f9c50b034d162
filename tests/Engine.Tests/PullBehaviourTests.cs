using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Pull;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests;

/// <summary>What a pull asks for and what it leaves, when nothing is wrong.</summary>
public sealed class PullBehaviourTests : PullTest
{
    [Fact]
    public async Task Pull_Twice_CostsOneRequest()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 1000));
        Assert.False((await PullAsync()).UpToDate);
        Registry.Requests.Clear();

        Assert.True((await PullAsync()).UpToDate);

        Assert.Equal("HEAD", Assert.Single(Registry.Requests).Method);
    }

    [Fact]
    public async Task Pull_TwoAtOnce_FetchesEachBlobOnce()
    {
        var layer = ImageBuilder.Tar("a", 300_000);
        Registry.AddImage("latest", layer, ImageBuilder.Tar("b", 200_000));
        await using var engine = await OpenAsync();

        var results = await Task.WhenAll(PullAsync(engine, Reference()), PullAsync(engine, Reference()));

        Assert.Equal(results[0].ChainId, results[1].ChainId);
        Assert.Equal(1, RequestsFor(Digest.Compute(ImageBuilder.Gzip(layer)).ToString()));
        await AssertWholeAsync(engine);
        Assert.Empty(engine.Content.ListIngests());
    }

    [Fact]
    public async Task Pull_ImagesThatShareLayers_FetchesAndUnpacksThemOnce()
    {
        var shared = ImageBuilder.Tar("shared", 100_000);
        Registry.AddImage("one", shared, ImageBuilder.Tar("b", 1000));
        Registry.AddImage("two", shared, ImageBuilder.Tar("cc", 1000));
        await using var engine = await OpenAsync();

        await PullAsync(engine, Reference("one"));
        await PullAsync(engine, Reference("two"));

        Assert.Equal(1, RequestsFor(Digest.Compute(ImageBuilder.Gzip(shared)).ToString()));
        Assert.Equal(3, (await Snapshots(engine)).Count);
    }

    [Fact]
    public async Task Pull_SameLayerTwice_UnpacksIt()
    {
        var layer = ImageBuilder.Tar("a", 1000);
        Registry.AddImage("latest", layer, layer);

        Assert.NotNull((await PullAsync()).ChainId);
        Assert.Equal(1, RequestsFor(Digest.Compute(ImageBuilder.Gzip(layer)).ToString()));
    }

    [Fact]
    public async Task Pull_NoLayers_StoresTheImage()
    {
        Registry.AddImage("latest", [], []);

        Assert.Null((await PullAsync()).ChainId);
        Assert.True((await PullAsync()).UpToDate);
    }

    [Fact]
    public async Task Pull_DescriptorWithData_AsksNotForTheBlob()
    {
        var tar = ImageBuilder.Tar("a", 100);
        var layer = Registry.AddBlob(ImageBuilder.Repository, ImageBuilder.Gzip(tar));
        Registry.AddImage("latest", [layer with { Data = ImageBuilder.Gzip(tar) }], [Digest.Compute(tar)]);

        Assert.NotNull((await PullAsync()).ChainId);
        Assert.Equal(0, RequestsFor(layer.Digest.ToString()));
    }

    [Fact]
    public async Task Pull_IndexInAnIndex_FindsThePlatform()
    {
        var wanted = Registry.AddImage("wanted", ImageBuilder.Tar("a", 1000));
        var inner = Registry.AddIndex("inner", (wanted, Platform.Current.ToString()));
        var outer = Registry.AddIndex("latest", (inner, null));

        var result = await PullAsync();

        Assert.Equal((outer.Digest, wanted.Digest), (result.Target.Digest, result.Manifest));
    }

    [Fact]
    public async Task Pull_IndexThatHoldsItself_NeedNotEnd()
    {
        // No index can name its own digest, but a registry may serve one whose entries repeat without end.
        var entry = Registry.AddIndex("entry");
        for (var depth = 0; depth < OciLimits.MaxIndexDepth + 1; depth++)
        {
            entry = Registry.AddIndex("latest", (entry, null));
        }

        Assert.Equal(ErrorKind.LimitExceeded, (await FailAsync()).Kind);
    }

    [Fact]
    public async Task Pull_PlatformIsMissing_NamesThoseThatAreThere()
    {
        var other = Registry.AddImage("other", [], [], Platform.Parse("linux/s390x"));
        Registry.AddIndex("latest", (other, "linux/s390x"), (other, "linux/ppc64le"));

        var failure = await FailAsync();

        Assert.Equal(ErrorKind.NotFound, failure.Kind);
        Assert.Contains("linux/ppc64le, linux/s390x", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_Artifact_IsStoredAndNotUnpacked()
    {
        var blob = Registry.AddBlob(ImageBuilder.Repository, [1, 2, 3], "application/vnd.example.thing");
        var config = Registry.AddBlob(ImageBuilder.Repository, "{}"u8.ToArray(), "application/vnd.oci.empty.v1+json");
        var manifest = new System.Text.Json.Nodes.JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = "application/vnd.example.thing",
            ["config"] = ImageBuilder.Json(config),
            ["layers"] = new System.Text.Json.Nodes.JsonArray(ImageBuilder.Json(blob)),
        };
        Registry.AddManifest(ImageBuilder.Repository, "latest", ImageBuilder.Bytes(manifest));

        var result = await PullAsync();

        Assert.Null(result.ChainId);
        Assert.Equal(1, RequestsFor(blob.Digest.ToString()));
    }

    [Fact]
    public async Task Pull_Cancelled_StopsAndGoesOnLater()
    {
        var tar = ImageBuilder.Tar("a", 400_000);
        var layer = ImageBuilder.Gzip(tar);
        Registry.AddImage("latest", tar);
        Registry.Intercept = request => request.Target.EndsWith(Digest.Compute(layer).ToString(), StringComparison.Ordinal)
            ? Registry.Serve(request) with { StallAt = 300_000 }
            : null;
        await using (var engine = await OpenAsync())
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var progress = new TransferProgress();
            var pull = engine.PullAsync(new PullRequest { Reference = Reference() }, progress, stop.Token);
            while (!pull.IsCompleted && progress.Blobs.All(blob => blob.Done < 200_000))
            {
                await Task.Delay(5, Ct);
            }

            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
            await AssertWholeAsync(engine);
        }

        Registry.Intercept = null;
        var result = await PullAsync();

        Assert.InRange(result.BytesDownloaded, 1, 250_000);
    }
}
