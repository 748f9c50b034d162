using System.Text.Json.Nodes;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Commit;
using ImageStore.Engine.Tests.Support;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests.Commit;

/// <summary>From a mounted image, changed, to an image of its own.</summary>
public sealed class CommitTests : PullTest
{
    private const int FileBytes = 100_000;

    private string Mounted => In("mnt");

    [Theory]
    [InlineData("overlayfs", "gzip")]
    [InlineData("native", "zstd:1")]
    [InlineData("erofs", "zstd:1")]
    public async Task Commit_OfAMount_IsAnImageThatUnpacksToWhatWasMounted(string snapshotter, string compression)
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 100), ImageBuilder.Tar("b", 200));
        await using var engine = await OpenAsync();
        await MountAsync(engine, snapshotter);
        File.WriteAllText(Path.Combine(Mounted, "new"), "new");
        File.Delete(Path.Combine(Mounted, "a"));

        var made = await engine.CommitAsync(
            Request() with
            {
                Snapshotter = snapshotter, Compression = CompressionChoice.Parse(compression), Changes = ["ENV A=b"], Author = "me", Message = "what for",
            },
            Ct);
        await engine.UnmountAsync(Mounted, snapshotter, Ct);

        Assert.Equal(Reference(), made.Base);
        await AssertWholeAsync(engine);
        Assert.Empty(engine.Leases.List());
        Assert.Empty(engine.Content.ListIngests());
        var details = Assert.Single((await engine.InspectAsync("made:1", Ct)).Manifests);
        Assert.True(details.Complete);
        Assert.Equal(3, details.Layers.Count);
        Assert.Equal(CompressionChoice.Parse(compression).MediaType, details.Layers[2].MediaType);
        Assert.Equal(made.DiffId.ToString(), engine.Content.Find(made.Layer.Digest)!.Labels[Labels.Uncompressed]);
        var (manifest, config) = (await JsonAsync(engine, made.Target), await JsonAsync(engine, details.Config));
        Assert.Equal(Reference(), manifest["annotations"]!["org.opencontainers.image.base.name"]!.ToString());
        Assert.Equal("""["A=b"]""", config["config"]!["Env"]!.ToJsonString());
        Assert.Equal(3, config["history"]!.AsArray().Count);
        Assert.Equal("what for", config["history"]![2]!["comment"]!.ToString());
        Assert.Equal("me", config["author"]!.ToString());

        await engine.MountAsync("made:1", Mounted, readWrite: false, snapshotter, null, Ct);
        Assert.Equal("new", File.ReadAllText(Path.Combine(Mounted, "new")));
        Assert.False(File.Exists(Path.Combine(Mounted, "a")));
        Assert.Equal(200, new FileInfo(Path.Combine(Mounted, "b")).Length);
        await engine.UnmountAsync(Mounted, snapshotter, Ct);

        // What keeps it are its own labels: nothing of it goes with the base's name.
        await engine.Images.RemoveAsync(Reference(), Ct);
        await engine.CollectAsync(Ct);
        Assert.True(Assert.Single((await engine.InspectAsync("made:1", Ct)).Manifests).Complete);
    }

    [Fact]
    public async Task Commit_WithATimestamp_IsTheSameImageAgain()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 100));
        await using var engine = await OpenAsync();
        await MountAsync(engine);
        File.WriteAllText(Path.Combine(Mounted, "new"), "new");
        var request = Request() with { Timestamp = DateTimeOffset.UnixEpoch };

        var first = await engine.CommitAsync(request, Ct);
        File.SetLastWriteTimeUtc(Path.Combine(Mounted, "new"), DateTime.UnixEpoch.AddYears(50));
        var second = await engine.CommitAsync(request with { Name = "other:1" }, Ct);

        Assert.Equal(first.Target.Digest, second.Target.Digest);
        await engine.UnmountAsync(Mounted, null, Ct);
    }

    [Fact]
    public async Task Commit_OfAnEmptySnapshot_IsAnImageWithAnEmptyLayer()
    {
        await using var engine = await OpenAsync();
        await engine.PrepareAsync("empty", null, null, Ct);

        var made = await engine.CommitAsync(Request() with { Snapshot = "empty" }, Ct);

        Assert.Equal(0, made.Entries);
        Assert.Null(made.Base);
        Assert.Equal(Digest.Compute(new byte[1024]), made.DiffId);
        await engine.UnpackAsync("made:1", null, null, new TransferProgress(), Ct);
        Assert.Equal(["empty"], engine.ActiveSnapshots());
    }

    [Fact]
    public async Task Commit_BesideCollections_LosesNothing()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 100));
        await using var engine = await OpenAsync();
        await MountAsync(engine);
        File.WriteAllBytes(Path.Combine(Mounted, "new"), new byte[5_000_000]);
        using var stop = new CancellationTokenSource();
        var collecting = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    await engine.CollectAsync(Ct);
                }
            },
            Ct);
        for (var i = 0; i < 10; i++)
        {
            await engine.CommitAsync(Request() with { Name = $"made:{i}", Message = $"{i}" }, Ct);
            Assert.True(Assert.Single((await engine.InspectAsync($"made:{i}", Ct)).Manifests).Complete);
        }

        await stop.CancelAsync();
        await collecting;
        await engine.UnmountAsync(Mounted, null, Ct);
        await AssertWholeAsync(engine);
    }

    [Fact]
    public async Task Commit_OfMoreThanTheQuota_IsRefusedAndLeavesNothing()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 100));
        await using var engine = await OpenAsync();
        await MountAsync(engine);
        var bytes = new byte[FileBytes];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(Path.Combine(Mounted, "new"), bytes);
        var before = engine.Content.List().Count;
        await engine.Namespaces.SetQuotaAsync("default", new NamespaceQuota(FileBytes / 2, null), Ct);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => engine.CommitAsync(Request(), Ct));

        Assert.Equal(ErrorKind.NoSpace, failure.Kind);
        await AssertNothingMadeAsync(engine, before);
        await engine.UnmountAsync(Mounted, null, Ct);
    }

    [Theory]
    [InlineData("nothing", "made:1", null, "ENV A=b", ErrorKind.NotFound)]
    [InlineData("", "made:1", "made:2", "ENV A=b", ErrorKind.NotFound)]
    [InlineData("", "made:1", "OTHER", "ENV A=b", ErrorKind.FailedPrecondition)]
    [InlineData("", "Made@", null, "ENV A=b", ErrorKind.InvalidArgument)]
    [InlineData("", "made@sha256:0000000000000000000000000000000000000000000000000000000000000000", null, "ENV A=b", ErrorKind.InvalidArgument)]
    [InlineData("", "made:1", null, "ENV", ErrorKind.InvalidArgument)]
    public async Task Commit_OfARequestThatIsWrong_IsRefusedAndLeavesNothing(
        string snapshot, string name, string? @base, string change, ErrorKind kind)
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 100));
        Registry.AddImage("other", ImageBuilder.Tar("b", 100));
        await using var engine = await OpenAsync();
        await PullAsync(engine, Reference("other"));
        await MountAsync(engine);
        var before = engine.Content.List().Count;

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => engine.CommitAsync(
            new CommitRequest
            {
                Snapshot = snapshot.Length > 0 ? snapshot : Mounted, Name = name, Base = @base == "OTHER" ? Reference("other") : @base, Changes = [change],
            },
            Ct));

        Assert.Equal(kind, failure.Kind);
        await AssertNothingMadeAsync(engine, before, images: 2);
        await engine.UnmountAsync(Mounted, null, Ct);
    }

    [Fact]
    public async Task Commit_OfAReadOnlyMount_SaysHowToMountIt()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 100));
        await using var engine = await OpenAsync();
        await PullAsync(engine, Reference());
        Directory.CreateDirectory(Mounted);
        await engine.MountAsync(Reference(), Mounted, readWrite: false, null, null, Ct);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => engine.CommitAsync(Request(), Ct));

        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.Contains("--rw", failure.Remedy, StringComparison.Ordinal);
        await engine.UnmountAsync(Mounted, null, Ct);
    }

    [Fact]
    public async Task Commit_OnAFilesystemThatTwoImagesHave_AsksWhichItIs()
    {
        var tar = ImageBuilder.Tar("a", 100);
        var layer = Registry.AddBlob(ImageBuilder.Repository, ImageBuilder.Gzip(tar));
        Registry.AddImage("latest", [layer], [Digest.Compute(tar)]);
        Registry.AddImage("other", [layer], [Digest.Compute(tar)], new Platform { Os = "linux", Architecture = "riscv64" });
        await using var engine = await OpenAsync();
        await PullAsync(engine, Reference("other"));
        await MountAsync(engine);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => engine.CommitAsync(Request(), Ct));
        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.Contains("--base", failure.Remedy, StringComparison.Ordinal);

        var made = await engine.CommitAsync(Request() with { Base = Reference("other") }, Ct);
        Assert.Equal("riscv64", (await ConfigAsync(engine, made.Target))["architecture"]!.ToString());
        await engine.UnmountAsync(Mounted, null, Ct);
    }

    [Fact]
    public async Task Open_AfterADeadDiff_ForgetsItsViews()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 100));
        string chain;
        await using (var engine = await OpenAsync())
        {
            await PullAsync(engine, Reference());
            var snapshotter = await engine.SnapshotterAsync(null, Ct);
            chain = (await snapshotter.WalkAsync(Ct))[0].Name;
            await snapshotter.ViewAsync(Engine.Diff.DiffTrees.ViewPrefix + "dead", chain, Labels.None, Ct);
        }

        await using var again = await OpenAsync();
        Assert.Equal(chain, Assert.Single(await Snapshots(again)).Name);
    }

    private CommitRequest Request() => new() { Snapshot = Mounted, Name = "made:1" };

    private async Task MountAsync(StoreEngine engine, string? snapshotter = null)
    {
        await PullAsync(engine, Reference());
        Directory.CreateDirectory(Mounted);
        await engine.MountAsync(Reference(), Mounted, readWrite: true, snapshotter, null, Ct);
    }

    private static async Task AssertNothingMadeAsync(StoreEngine engine, int blobs, int images = 1)
    {
        Assert.Equal(images, engine.Images.List().Count);
        Assert.Equal(blobs, engine.Content.List().Count);
        Assert.Empty(engine.Content.ListIngests());
        Assert.Empty(engine.Leases.List());
        Assert.Equal(1, (await Snapshots(engine)).Count(snapshot => snapshot.Kind != Snapshotters.Snapshots.SnapshotKind.Committed));
    }

    private static async Task<JsonNode> JsonAsync(StoreEngine engine, Descriptor blob)
    {
        await using var stream = engine.Content.OpenRead(blob.Digest);
        return (await JsonNode.ParseAsync(stream, cancellationToken: Ct))!;
    }

    private static async Task<JsonNode> ConfigAsync(StoreEngine engine, Descriptor manifest) =>
        await JsonAsync(engine, new Descriptor
        {
            MediaType = MediaTypes.OciConfig, Digest = Digest.Parse((await JsonAsync(engine, manifest))["config"]!["digest"]!.ToString()), Size = 0,
        });
}
