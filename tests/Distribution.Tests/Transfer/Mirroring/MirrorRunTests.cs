using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Tests.Support;
using ImageStore.Distribution.Transfer;
using ImageStore.Distribution.Transfer.Mirroring;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Transfer.Mirroring;

/// <summary>Mirroring from registry to registry, through archives, and again.</summary>
public sealed class MirrorRunTests : IAsyncDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-mirror-");
    private readonly RegistryPair _pair = new();
    private readonly FakeRegistry _far = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Source => _pair.Registry.Host;

    public async ValueTask DisposeAsync()
    {
        await _pair.DisposeAsync();
        await _far.DisposeAsync();
        _work.Delete(recursive: true);
    }

    [Fact]
    public async Task Run_ToARegistry_CopiesAndThenOnlyAsks()
    {
        await PublishAsync("app", "1", "linux/amd64");
        var config = Config($"- {Source}/app:1");
        var options = new MirrorOptions { To = $"{_far.Host}/m" };

        var first = await RunAsync(config, options);
        _far.Requests.Clear();
        var second = await RunAsync(config, options);

        Assert.Equal(MirrorStatus.Copied, Assert.Single(first.Images).Status);
        Assert.NotNull(_far.Find("/v2/m/app/manifests/1"));
        Assert.Equal(MirrorStatus.UpToDate, Assert.Single(second.Images).Status);
        Assert.Equal("HEAD", Assert.Single(_far.Requests).Method);
    }

    [Fact]
    public async Task Run_OneFails_TheOthersAreCopiedAndAllIsTold()
    {
        await PublishAsync("app", "1", "linux/amd64");
        await PublishAsync("app", "2", "linux/arm64");
        var broken = _pair.Registry.Find("/v2/app/manifests/2")!;
        _pair.Registry.Intercept = request => request.Target.Contains(Digest.Compute(broken).ToString(), StringComparison.Ordinal)
            ? FakeResponse.Text(500, "")
            : null;
        List<MirrorOutcome> told = [];

        var report = await RunAsync(
            Config($"- {Source}/app:1", $"- {Source}/app:2", $"- {Source}/app:3", $"- {{name: {Source}/none, tags: '*'}}"),
            new MirrorOptions { To = _far.Host, Parallel = 1 },
            told);

        Assert.Equal((1, 3), (report.Count(MirrorStatus.Copied), report.Count(MirrorStatus.Failed)));
        Assert.Equal(4, told.Count);
        Assert.All(report.Images.Where(image => image.Status == MirrorStatus.Failed), image => Assert.NotNull(image.Reason));
        Assert.NotNull(_far.Find("/v2/app/manifests/1"));
        Assert.Null(_far.Find("/v2/app/manifests/2"));
    }

    [Fact]
    public async Task Run_IntoAnArchiveAndOut_IsTheSame()
    {
        var index = await PublishAsync("app", "1", "linux/amd64", "linux/arm64");

        await RunAsync(Config($"- {Source}/app:1"), new MirrorOptions { To = $"oci-archive:{In("a.tar")}" });
        await RunAsync(new MirrorConfig(), new MirrorOptions { From = $"oci-archive:{In("a.tar")}", To = $"{_far.Host}/m" });

        Assert.Equal(_pair.Registry.Find("/v2/app/manifests/1"), _far.Find("/v2/m/app/manifests/1"));
        Assert.Equal(index.Digest, Digest.Compute(_far.Find("/v2/m/app/manifests/1")!));
    }

    [Fact]
    public async Task Run_Delta_HoldsOnlyWhatIsMissing()
    {
        await PublishAsync("app", "1", "linux/amd64");
        await RunAsync(Config($"- {Source}/app:1"), new MirrorOptions { To = $"oci-archive:{In("one.tar")}" });
        await PublishAsync("app", "2", "linux/amd64", "linux/arm64");
        await PublishAsync("other", "2", "linux/amd64");

        var both = Config($"- {Source}/app:2", $"- {Source}/other:2");
        await RunAsync(both, new MirrorOptions { To = $"oci-archive:{In("two.tar")}", Have = [In("one.tar")] });

        var contents = await ArchiveContents.ReadFileAsync(In("two.tar"), Ct);
        Assert.Contains(contents.Blobs, blob => blob.Digest == Digest.Compute("the layer of linux/arm64"u8));
        Assert.DoesNotContain(contents.Blobs, blob => blob.Digest == Digest.Compute("a layer that all share"u8));
        Assert.Contains(contents.Elsewhere, blob => blob.Digest == Digest.Compute("the layer of linux/amd64"u8));

        // Out of turn: nothing is written at all.
        var arrival = new MirrorOptions { From = $"oci-archive:{In("two.tar")}", To = $"{_far.Host}/m" };
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => RunAsync(new MirrorConfig(), arrival));
        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.All(_far.Requests, request => Assert.Equal("HEAD", request.Method));

        // In turn: also a repository that had none of the blobs gets them, from the one that has.
        await RunAsync(new MirrorConfig(), arrival with { From = $"oci-archive:{In("one.tar")}" });
        Assert.Equal(2, (await RunAsync(new MirrorConfig(), arrival)).Count(MirrorStatus.Copied));
        Assert.NotNull(_far.Find($"/v2/m/other/blobs/{Digest.Compute("the layer of linux/amd64"u8)}"));
        Assert.Equal(_pair.Registry.Find("/v2/app/manifests/2"), _far.Find("/v2/m/app/manifests/2"));
    }

    [Fact]
    public async Task Run_DeltaWithoutMounts_CarriesTheBytesOver()
    {
        _far.Uploads.Mounts = false;
        await PublishAsync("app", "1", "linux/amd64");
        await PublishAsync("other", "1", "linux/amd64");
        await RunAsync(Config($"- {Source}/app:1"), new MirrorOptions { To = $"oci-archive:{In("one.tar")}" });
        await RunAsync(Config($"- {Source}/other:1"), new MirrorOptions { To = $"oci-archive:{In("two.tar")}", Have = [In("one.tar")] });
        foreach (var file in (string[])["one.tar", "two.tar"])
        {
            await RunAsync(new MirrorConfig(), new MirrorOptions { From = $"oci-archive:{In(file)}", To = _far.Host });
        }

        Assert.NotNull(_far.Find("/v2/other/manifests/1"));
    }

    [Fact]
    public async Task Run_Inventory_IsWhatTheTargetReallyHolds()
    {
        await PublishAsync("app", "1", "linux/amd64");
        var config = Config($"- {Source}/app:1");
        await RunAsync(config, new MirrorOptions { To = _far.Host });

        // The far side lost a layer since; what it says of itself must not count on that.
        var lost = Digest.Compute("the layer of linux/amd64"u8);
        _far.Intercept = request => request.Target.EndsWith(lost.ToString(), StringComparison.Ordinal) ? FakeResponse.Text(404, "{}") : null;
        await RunAsync(config, new MirrorOptions { To = _far.Host, Inventory = In("have.json") });
        await RunAsync(config, new MirrorOptions { To = $"oci-archive:{In("delta.tar")}", Have = [In("have.json")] });

        var contents = await ArchiveContents.ReadFileAsync(In("delta.tar"), Ct);
        Assert.Contains(contents.Blobs, blob => blob.Digest == lost);
        Assert.DoesNotContain(contents.Blobs, blob => blob.Digest == Digest.Compute("a layer that all share"u8));
    }

    [Fact]
    public async Task Run_HaveIsARegistry_ItIsAsked()
    {
        await PublishAsync("app", "1", "linux/amd64");
        var config = Config($"- {Source}/app:1");
        await RunAsync(config, new MirrorOptions { To = $"{_far.Host}/m" });

        await RunAsync(config, new MirrorOptions { To = $"oci-archive:{In("delta.tar")}", Have = [$"{_far.Host}/m"] });

        Assert.Equal(3, (await ArchiveContents.ReadFileAsync(In("delta.tar"), Ct)).Elsewhere.Count);
    }

    [Fact]
    public async Task Run_ArchiveIsDamaged_NothingIsTaken()
    {
        await PublishAsync("app", "1", "linux/amd64");
        await RunAsync(Config($"- {Source}/app:1"), new MirrorOptions { To = $"oci-archive:{In("a.tar")}" });
        var bytes = await File.ReadAllBytesAsync(In("a.tar"), Ct);
        var at = bytes.AsSpan().IndexOf("the layer of linux/amd64"u8);
        bytes[at] = (byte)'T';
        await File.WriteAllBytesAsync(In("a.tar"), bytes, Ct);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(
            () => RunAsync(new MirrorConfig(), new MirrorOptions { From = $"oci-archive:{In("a.tar")}", To = _far.Host }));

        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Empty(_far.Requests);
    }

    [Fact]
    public async Task Run_Lock_HoldsTheDigestsWhenTagsMove()
    {
        var first = await PublishAsync("app", "1", "linux/amd64");
        var config = Config($"- {Source}/app:1");
        var options = new MirrorOptions { To = _far.Host, LockFile = In("mirror.lock") };
        await RunAsync(config, options);
        await PublishAsync("app", "1", "linux/arm64");

        await RunAsync(config, options);
        Assert.Equal(first.Digest, Digest.Compute(_far.Find("/v2/app/manifests/1")!));

        await RunAsync(config, options with { UpdateLock = true });
        Assert.NotEqual(first.Digest, Digest.Compute(_far.Find("/v2/app/manifests/1")!));
    }

    [Fact]
    public async Task Run_Prune_RemovesOnlyWhatItPutThere()
    {
        await PublishAsync("app", "1", "linux/amd64");
        await PublishAsync("app", "2", "linux/arm64");
        await PublishAsync("app", "3", "linux/riscv64");
        var options = new MirrorOptions { To = _far.Host, StateFile = In("state.json"), Prune = true };
        await RunAsync(Config($"- {Source}/app:1", $"- {Source}/app:2", $"- {Source}/app:3"), options);
        _far.AddManifest("app", "mine", "{}"u8.ToArray());
        _far.AddManifest("app", "2", "{}"u8.ToArray());

        var planned = await RunAsync(Config($"- {Source}/app:3"), options with { DryRun = true });
        Assert.NotNull(_far.Find("/v2/app/manifests/1"));
        var report = await RunAsync(Config($"- {Source}/app:3"), options);

        Assert.Equal(planned.Images.Select(image => image.Status), report.Images.Select(image => image.Status));
        Assert.Equal((1, 1), (report.Count(MirrorStatus.Pruned), report.Count(MirrorStatus.Kept)));
        Assert.Null(_far.Find("/v2/app/manifests/1"));
        Assert.NotNull(_far.Find("/v2/app/manifests/2"));
        Assert.NotNull(_far.Find("/v2/app/manifests/mine"));
    }

    [Fact]
    public async Task Run_PruneWhenTheChoiceFails_KeepsAll()
    {
        await PublishAsync("app", "1", "linux/amd64");
        var options = new MirrorOptions { To = _far.Host, StateFile = In("state.json"), Prune = true };
        await RunAsync(Config($"- {Source}/app:1"), options);
        _pair.Registry.Intercept = request => request.Target.Contains("/tags/", StringComparison.Ordinal) ? FakeResponse.Text(500, "") : null;

        var report = await RunAsync(Config($"- {{name: {Source}/app, tags: '*'}}"), options);

        Assert.Equal(1, report.Count(MirrorStatus.Kept));
        Assert.NotNull(_far.Find("/v2/app/manifests/1"));
    }

    [Fact]
    public async Task Run_PruneWithoutState_IsRefused()
    {
        var failure = await Assert.ThrowsAsync<ImageStoreException>(
            () => RunAsync(Config($"- {Source}/app:1"), new MirrorOptions { To = _far.Host, Prune = true }));

        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
    }

    [Fact]
    public async Task Run_LayoutIsPruned_LosesTheBlobsToo()
    {
        await PublishAsync("app", "1", "linux/amd64");
        await PublishAsync("app", "2", "linux/arm64");
        var options = new MirrorOptions { To = $"oci:{In("layout")}", StateFile = In("state.json"), Prune = true };
        await RunAsync(Config($"- {Source}/app:1", $"- {Source}/app:2"), options);
        var gone = Path.Combine(In("layout"), OciLayoutSource.BlobFile(Digest.Compute("the layer of linux/amd64"u8)));
        foreach (var file in Directory.EnumerateFiles(In("layout/blobs"), "*", SearchOption.AllDirectories))
        {
            File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch);
        }

        await RunAsync(Config($"- {Source}/app:2"), options);

        Assert.False(File.Exists(gone));
        await using var layout = OciLayoutSource.OpenFolder(In("layout"));
        Assert.Equal($"{Source}/app:2", Assert.Single(layout.Images).Name);
        Assert.True(File.Exists(Path.Combine(In("layout"), OciLayoutSource.BlobFile(Digest.Compute("a layer that all share"u8)))));
    }

    [Fact]
    public async Task Run_DryRun_TellsBytesAndSpaceAndWritesNothing()
    {
        await PublishAsync("app", "1", "linux/amd64");
        await PublishAsync("app", "2", "linux/amd64");

        var report = await RunAsync(
            Config($"- {Source}/app:1", $"- {Source}/app:2"),
            new MirrorOptions { To = $"oci-archive:{In("a.tar")}", DryRun = true, StateFile = In("s"), LockFile = In("l"), Inventory = In("i") });

        Assert.Equal(2, report.Count(MirrorStatus.Copied));
        Assert.True(report.FreeBytes > 0);
        Assert.True(report.BytesToMove > 0);
        Assert.Equal(report.BytesToMove, report.Images[0].Bytes);
        Assert.Equal(["published"], _work.EnumerateFileSystemInfos().Select(entry => entry.Name));
    }

    [Fact]
    public async Task Run_TwoBecomeOne_IsRefused()
    {
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => RunAsync(
            Config($"- {{name: {Source}/a, tags: x, to: same}}", $"- {{name: {Source}/b, tags: x, to: same}}"),
            new MirrorOptions { To = _far.Host }));

        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
        Assert.Contains("Both", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nohost")]
    [InlineData("oci:dir:tag")]
    [InlineData("docker-archive:x.tar")]
    [InlineData("reg.example/UPPER")]
    public async Task Run_TargetIsNone_IsRefused(string to)
    {
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => RunAsync(Config($"- {Source}/app:1"), new MirrorOptions { To = to }));

        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
    }

    [Fact]
    public async Task Run_RegistryInPath_KeepsTwoRegistriesApart()
    {
        await PublishAsync("app", "1", "linux/amd64");

        await RunAsync(Config($"- {Source}/app:1") with { RegistryInPath = true }, new MirrorOptions { To = _far.Host });

        Assert.NotNull(_far.Find($"/v2/{Source.Replace(':', '-')}/app/manifests/1"));
    }

    private static MirrorConfig Config(params string[] repositories) =>
        MirrorFile.Parse("repositories:\n" + string.Join('\n', repositories.Select(one => "  " + one)), "mirror.yaml");

    private Task<MirrorReport> RunAsync(MirrorConfig config, MirrorOptions options, List<MirrorOutcome>? told = null) =>
        new MirrorRun(_pair.Client, config, options, () => Stream.Null, () => Stream.Null).RunAsync(outcome => told?.Add(outcome), Ct);

    private async Task<Descriptor> PublishAsync(string repository, string tag, params string[] platforms)
    {
        var folder = In($"published/{Guid.NewGuid():N}");
        var index = TestImages.WriteIndex(folder, platforms);
        await using var source = OciLayoutSource.OpenFolder(folder);
        await using var target = new RepositoryTarget(_pair.Open(repository));
        await new ImageCopier(source, target, new CopyOptions(), new BlobLocations()).CopyAsync(index, tag, new TransferProgress(), Ct);
        return index;
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
