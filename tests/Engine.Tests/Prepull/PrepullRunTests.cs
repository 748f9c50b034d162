using System.Text;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Prepull;
using ImageStore.Engine.Pull;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests.Prepull;

/// <summary>What a run of a set pulls, and what it does not.</summary>
public sealed class PrepullRunTests : PrepullTest
{
    [Fact]
    public async Task Run_ByPriority_PullsPinsAndNamesInFull()
    {
        Add("a", "bb", "ccc");
        var set = PrepullSetFile.Parse(
            $"""
            name: base
            images:
              - {Reference("a")}
              - name: {Reference("bb")}
                priority: 5
              - name: {Reference("ccc")}
                priority: 7
                pin: false
            """,
            In("prepull.yaml"));

        var job = await RunAsync(set);

        Assert.Equal(("base-1", JobState.Done), (job.Id, job.State));
        Assert.All(job.Images, image => Assert.Equal((JobImageState.Done, 1), (image.State, image.Attempts)));
        Assert.All(job.Images, image => Assert.True(image is { Bytes: > 3_000, Digest: not null, StartedAt: not null, EndedAt: not null }));
        Assert.Equal(["ccc", "bb", "a"], Resolved());
        await using var engine = await OpenAsync();
        Assert.Equal([Reference("a"), Reference("bb"), Reference("ccc")], engine.Images.List().Select(image => image.Name));
        Assert.Equal(["pinned", "pinned", null], engine.Images.List().Select(image => image.Labels.GetValueOrDefault(Labels.Pinned)));
        Assert.Equal(3, (await Snapshots(engine)).Count);
    }

    [Theory]
    [InlineData("policy: always", 1)]
    [InlineData("policy: missing", 0)]
    public async Task Run_Again_CostsAHeadForATagAtMost_AndChangesNothing(string policy, int heads)
    {
        Add("a", "bb");
        Registry.AddIndex(
            "index",
            (Registry.AddImage("a", ImageBuilder.Tar("a", 3_000)), "linux/amd64"),
            (Registry.AddImage("bb", ImageBuilder.Tar("bb", 3_000)), "linux/s390x"));
        var set = SetWith($"{policy}\nplatforms: [linux/amd64, linux/s390x]", "a", "index");
        await RunAsync(set);
        var before = await RowsAsync();
        Registry.Requests.Clear();

        var job = await RunAsync(set);

        Assert.Equal(("base-2", JobState.Done, 0L), (job.Id, job.State, job.Bytes));
        Assert.Equal([JobImageState.Skipped, JobImageState.Skipped], States(job));
        Assert.Equal(2 * heads, Registry.Requests.Count(request => request.Method == "HEAD"));
        Assert.Equal(2 * heads, Registry.Requests.Count);
        Assert.Equal(before, await RowsAsync());
    }

    [Fact]
    public async Task Run_WhereATagMoved_PullsWhatItNamesNow()
    {
        Add("a");
        await RunAsync(Set("a"));
        var newer = Registry.AddImage("a", ImageBuilder.Tar("newer", 4_000));

        Assert.Equal(newer.Digest, (await RunAsync(Set("a"))).Images[0].Digest);
        await using var engine = await OpenAsync();
        Assert.Equal("pinned", engine.FindImage(Reference("a")).Labels[Labels.Pinned]);
    }

    [Fact]
    public async Task Run_WithAnImageThatFails_PullsTheOthersAndTellsWhy_AndCountsItsAttempts()
    {
        Add("a", "ccc");
        List<JobImage> told = [];
        var hooks = new PrepullHooks { Tell = told.Add };

        var job = await RunAsync(Set("a", "missing", "ccc"), hooks);

        Assert.Equal(JobState.Failed, job.State);
        Assert.Equal([JobImageState.Done, JobImageState.Failed, JobImageState.Done], States(job));
        Assert.Equal(ErrorKind.NotFound, job.Images[1].Kind);
        Assert.Contains("not found", job.Images[1].Reason, StringComparison.Ordinal);
        Assert.NotNull(job.Images[1].Remedy);
        Assert.Equal(job.Images, told);

        Add("missing");
        Registry.Requests.Clear();
        job = await RunAsync(Set("a", "missing", "ccc"));
        Assert.Equal(("base-2", JobState.Done, 2), (job.Id, job.State, job.Images[1].Attempts));
        Assert.Equal(3, Registry.Requests.Count(request => request.Method == "HEAD"));
        Assert.Null(job.Images[1].Reason);
    }

    [Fact]
    public async Task Run_ForSeveralPlatforms_BringsAllAndUnpacksTheFirst()
    {
        var other = new Platform { Os = "linux", Architecture = "s390x" };
        var layer = Registry.AddBlob(ImageBuilder.Repository, ImageBuilder.Gzip(ImageBuilder.Tar("b", 6_000)));
        Registry.AddIndex(
            "index",
            (Registry.AddImage("one", ImageBuilder.Tar("a", 5_000)), "linux/amd64"),
            (Registry.AddImage("two", [layer], [Digest.Compute(ImageBuilder.Tar("b", 6_000))], other), "linux/s390x"));

        await RunAsync(SetWith("platforms: [linux/amd64, linux/s390x]", "index"));

        await using var engine = await OpenAsync();
        Assert.Equal(["linux/amd64", "linux/s390x"], (await engine.ListImagesAsync(Ct))[0].Platforms);
        Assert.NotNull(engine.Content.Find(layer.Digest));
        Assert.Single(await Snapshots(engine));
    }

    [Fact]
    public async Task Run_WithoutUnpacking_StoresOnly()
    {
        Add("a");
        await RunAsync(SetWith("unpack: false", "a"));
        await using var engine = await OpenAsync();
        Assert.Single(engine.Images.List());
        Assert.Empty(await Snapshots(engine));
    }

    [Fact]
    public async Task Run_AfterAnImageLeft_UnpinsIt_UnlessAnotherSetOrAHandHasIt()
    {
        Add("a", "bb", "ccc", "dddd");
        await RunAsync(Set("a", "bb", "ccc", "dddd"));
        await RunAsync(PrepullSetFile.Parse($"name: other\nimages: [\"{Reference("bb")}\"]", In("other.yaml")));
        await using (var engine = await OpenAsync())
        {
            await engine.Naming.PinAsync(Reference("ccc"), pinned: true, Ct);
        }

        var job = await RunAsync(Set("a"));

        Assert.Equal([Reference("dddd")], job.Unpinned);
        Assert.Equal(["a", "bb", "ccc"], await PinnedAsync());
        Assert.Empty((await RunAsync(Set("a"))).Unpinned);

        await RunAsync(PrepullSetFile.Parse($"name: other\nimages: [\"{Reference("a")}\"]", In("other.yaml")));
        Assert.Equal(["a", "ccc"], await PinnedAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_AfterAnImageLeftThatWasPulledByHandWithAPin_LeavesThePin(bool moved)
    {
        Add("a", "bb");
        await RunAsync(Set("a", "bb"));
        if (moved)
        {
            Registry.AddImage("a", ImageBuilder.Tar("newer", 4_000));
        }

        await using (var engine = await OpenAsync())
        {
            var result = await engine.PullAsync(
                new PullRequest { Reference = Reference("a"), Pin = true, Policy = PullPolicy.Always }, new TransferProgress(), Ct);
            Assert.Equal(!moved, result.UpToDate);
        }

        Assert.Empty((await RunAsync(Set("bb"))).Unpinned);
        Assert.Equal(["a", "bb"], await PinnedAsync());
    }

    [Fact]
    public async Task Run_OfTheSameNameInAnotherNamespace_LeavesThisOneAlone()
    {
        Add("a", "bb");
        await RunAsync(Set("a"));
        await RunAsync(Set("bb"), options: Options() with { Namespace = "k8s.io" });

        Assert.Equal(["a"], await PinnedAsync());
        Assert.Equal("base-1", Assert.Single(new JobFolder(Root, "k8s.io", TimeProvider.System).List(_ => { })).Id);
    }

    [Fact]
    public async Task Run_WithACredentialsFile_ShowsWhatIsInThere()
    {
        Add("a");
        var secret = Convert.ToBase64String(Encoding.ASCII.GetBytes("u:secret"));
        Registry.Intercept = request => request.Header("Authorization") == "Basic " + secret
            ? null
            : FakeResponse.Text(401, "{}", ("WWW-Authenticate", "Basic realm=\"x\""));
        await File.WriteAllTextAsync(In("auth.json"), "{\"auths\":{\"" + Registry.Host + "\":{\"auth\":\"" + secret + "\"}}}", Ct);

        Assert.Equal(ErrorKind.Unauthenticated, (await RunAsync(Set("a"))).Images[0].Kind);
        Assert.Equal(JobState.Done, (await RunAsync(SetWith("credentials: auth.json", "a"))).State);
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(10L, null, 10L)]
    [InlineData(null, 20L, 20L)]
    [InlineData(10L, 20L, 10L)]
    [InlineData(20L, 10L, 10L)]
    public void Rate_OfTheSetAndOfTheCommand_IsTheLower(long? set, long? command, long? expected) => Assert.Equal(
        expected,
        SetPull.RegistryFor(new RegistryOptions { MaxBytesPerSecond = command }, new PrepullTerms { BytesPerSecond = set }).MaxBytesPerSecond);

    [Fact]
    public async Task Namespace_Removed_TakesItsJobsAlong()
    {
        Add("a");
        await RunAsync(Set("a"), options: Options() with { Namespace = "team" });
        await RunAsync(Set("a"));
        await using (var engine = await OpenAsync())
        {
            await engine.PurgeAsync("team", Ct);
        }

        Assert.Empty(new JobFolder(Root, "team", TimeProvider.System).List(_ => { }));
        Assert.Single(Jobs.List(_ => { }));
    }

    [Fact]
    public async Task Root_WithJobs_HasNothingForeign()
    {
        Add("a");
        await RunAsync(Set("a"));
        await using var root = await StoreRoot.OpenAsync(Root, new StoreOptions(), Ct);
        Assert.Empty(root.ForeignEntries());
    }

    private string[] Resolved() =>
        [.. Registry.Requests.Where(request => request.Method == "HEAD").Select(request => request.Target[(request.Target.LastIndexOf('/') + 1)..])];

    private async Task<IReadOnlyList<string>> PinnedAsync()
    {
        await using var engine = await OpenAsync();
        return [.. engine.Images.List().Where(image => image.Labels.ContainsKey(Labels.Pinned)).Select(image => image.Name[(image.Name.LastIndexOf(':') + 1)..])];
    }

    private async Task<IReadOnlyList<string>> RowsAsync()
    {
        await using var engine = await OpenAsync();
        return [.. engine.Images.List().Select(image => $"{image.Name} {image.Target.Digest} {image.UpdatedAt:O} {string.Join(' ', image.Labels)}")];
    }
}
