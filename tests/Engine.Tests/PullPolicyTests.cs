using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Pull;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests;

public sealed class PullPolicyTests : PullTest
{
    [Fact]
    public async Task Missing_PullsOnce_AndNeverAsksAgain()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 5_000));
        await using var engine = await OpenAsync();
        Assert.False((await PullAsync(engine, PullPolicy.Missing)).UpToDate);
        Registry.AddImage("latest", ImageBuilder.Tar("newer", 5_000));
        Registry.Requests.Clear();

        Assert.True((await PullAsync(engine, PullPolicy.Missing)).UpToDate);
        Assert.True((await PullAsync(engine, PullPolicy.Never)).UpToDate);
        Assert.Empty(Registry.Requests);
        Assert.False((await PullAsync(engine, PullPolicy.Always)).UpToDate);
    }

    [Fact]
    public async Task Missing_OfWhatIsNotUnpacked_UnpacksWithoutTheRegistry()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 5_000));
        await using var engine = await OpenAsync();
        await PullAsync(engine, PullPolicy.Always, request => request with { Unpack = false });
        Registry.Requests.Clear();

        var result = await PullAsync(engine, PullPolicy.Never);

        Assert.NotNull(result.ChainId);
        Assert.Empty(Registry.Requests);
        Assert.Single(await Snapshots(engine));
    }

    [Theory]
    [InlineData(PullPolicy.Always)]
    [InlineData(PullPolicy.Never)]
    public async Task Repeated_WhereTheFirstDiedBeforeItHeldTheSnapshots_HoldsThem(PullPolicy policy)
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 5_000), ImageBuilder.Tar("b", 6_000));
        await using var engine = await OpenAsync();
        await PullAsync(engine, PullPolicy.Always);
        var config = engine.Content.List().Single(blob => blob.Labels.Keys.Any(IsSnapshotRef));
        await engine.Content.UpdateLabelsAsync(
            config.Digest, LabelUpdate.Set(new Dictionary<string, string> { [config.Labels.Keys.Single(IsSnapshotRef)] = string.Empty }), Ct);

        await PullAsync(engine, policy);

        await engine.CollectAsync(Ct);
        Assert.Equal(2, (await Snapshots(engine)).Count);

        static bool IsSnapshotRef(string label) => label.StartsWith(Labels.RefSnapshotPrefix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_OfHalfAnImage_BringsTheRest()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 5_000), ImageBuilder.Tar("b", 6_000));
        await using var engine = await OpenAsync();
        await PullAsync(engine, PullPolicy.Always, request => request with { Unpack = false });
        var layer = engine.Content.List().OrderBy(blob => blob.Size).Last().Digest;
        File.Delete(Path.Combine(engine.Root, "content/blobs/sha256", layer.Hex));

        Assert.Equal(ErrorKind.NotFound, (await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, PullPolicy.Never))).Kind);
        await PullAsync(engine, PullPolicy.Missing);

        await AssertWholeAsync(engine);
        Assert.Equal(2, (await Snapshots(engine)).Count);
    }

    [Fact]
    public async Task Missing_OfAllPlatforms_IsNotContentWithOne()
    {
        var other = new Platform { Os = "linux", Architecture = "s390x" };
        var layer = Registry.AddBlob(ImageBuilder.Repository, ImageBuilder.Gzip(ImageBuilder.Tar("b", 6_000)));
        Registry.AddIndex(
            "latest",
            (Registry.AddImage("one", ImageBuilder.Tar("a", 5_000)), Platform.Current.ToString()),
            (Registry.AddImage("two", [layer], [Digest.Compute(ImageBuilder.Tar("b", 6_000))], other), other.ToString()));
        await using var engine = await OpenAsync();
        await PullAsync(engine, PullPolicy.Missing);
        Assert.Null(engine.Content.Find(layer.Digest));

        Assert.False((await PullAsync(engine, PullPolicy.Missing, request => request with { AllPlatforms = true })).UpToDate);
        Assert.NotNull(engine.Content.Find(layer.Digest));
        Registry.Requests.Clear();
        Assert.True((await PullAsync(engine, PullPolicy.Missing, request => request with { AllPlatforms = true })).UpToDate);
        Assert.Empty(Registry.Requests);
    }

    [Fact]
    public async Task Never_OfAnUnknownImage_SaysWhatToDo()
    {
        await using var engine = await OpenAsync();
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, PullPolicy.Never));
        Assert.Equal(ErrorKind.NotFound, failure.Kind);
        Assert.Contains("--policy missing", failure.Remedy, StringComparison.Ordinal);
        Assert.Empty(Registry.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pin_WithThePullOrOfWhatIsThere_IsALabel(bool before)
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 5_000));
        await using var engine = await OpenAsync();
        if (before)
        {
            await PullAsync(engine, PullPolicy.Always);
        }

        await PullAsync(engine, PullPolicy.Missing, request => request with { Pin = true });

        Assert.Equal("pinned", engine.FindImage(Reference()).Labels[Labels.Pinned]);
    }

    private Task<PullResult> PullAsync(StoreEngine engine, PullPolicy policy, Func<PullRequest, PullRequest>? more = null)
    {
        var request = new PullRequest { Reference = Reference(), Policy = policy };
        return engine.PullAsync(more is null ? request : more(request), new TransferProgress(), Ct);
    }
}
