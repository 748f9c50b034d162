using ImageStore.Engine.Fsck;
using ImageStore.Engine.Tests.Support;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Metadata;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests.Fsck;

/// <summary>Damage of each kind: found, put right where that can be, and never deleted.</summary>
public sealed class FsckTests : PullTest
{
    private static readonly byte[] s_base = ImageBuilder.Tar("base", 50_000);
    private static readonly byte[] s_top = ImageBuilder.Tar("top", 30_000);

    private static Digest Layer => Digest.Compute(ImageBuilder.Gzip(s_top));

    [Fact]
    public async Task Run_OnASoundRoot_FindsNothing_AndCountsAll()
    {
        await PulledAsync();

        var report = await CheckAsync();

        Assert.Empty(report.Findings);
        Assert.Equal((4, 1, 2, true), (report.Blobs, report.Images, report.Snapshots, report.IsComplete));
        Assert.Equal(report.Blobs, report.VerifiedBlobs);
        Assert.Equal(Directory.GetFiles(Blobs).Sum(path => new FileInfo(path).Length), report.VerifiedBytes);
    }

    [Theory]
    [InlineData("layer")]
    [InlineData("manifest")]
    [InlineData("config")]
    public async Task Run_AFlippedBit_IsFound_AndRepairFetchesTheBlobAgain(string which)
    {
        var path = FileOf(which switch { "layer" => Layer, "manifest" => await PulledAsync(), _ => await ConfigAsync() });
        await PulledAsync();
        var whole = await File.ReadAllBytesAsync(path, Ct);
        await FlipAsync(path, whole.Length / 2);

        var found = Assert.Single((await CheckAsync()).Findings, one => one.Kind == FindingKind.BlobDamaged);
        Assert.Equal(Path.GetFileName(path), Digest.Parse(found.Subject).Hex);
        Assert.True(found is { IsDamage: true, Repair: null });
        Assert.NotEqual(whole, await File.ReadAllBytesAsync(path, Ct));

        var repaired = await CheckAsync(repair: true);

        Assert.Equal(0, repaired.Damage);
        Assert.Contains(Registry.Host, Assert.Single(repaired.Findings).Repair, StringComparison.Ordinal);
        Assert.Equal(whole, await File.ReadAllBytesAsync(path, Ct));
        Assert.Single(Quarantined());
        Assert.Empty((await CheckAsync()).Findings);
    }

    [Fact]
    public async Task Run_QuickOverAFlippedBit_ReadsNothing()
    {
        await PulledAsync();
        await FlipAsync(FileOf(Layer), 100);

        var report = await CheckAsync(new FsckOptions { Quick = true });

        Assert.Empty(report.Findings);
        Assert.Equal(0, report.VerifiedBytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_AMissingOrShortBlob_IsFound_AndFetchedAgain(bool truncated)
    {
        await PulledAsync();
        if (truncated)
        {
            File.SetUnixFileMode(FileOf(Layer), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await using var file = File.OpenWrite(FileOf(Layer));
            file.SetLength(100);
        }
        else
        {
            File.Delete(FileOf(Layer));
        }

        var findings = (await CheckAsync(new FsckOptions { Quick = true })).Findings;
        Assert.Equal([FindingKind.BlobMissing, FindingKind.ImageIncomplete], findings.Select(one => one.Kind));

        Assert.Equal(0, (await CheckAsync(repair: true)).Damage);
        Assert.Empty((await CheckAsync()).Findings);
        Assert.Equal(truncated ? 1 : 0, Quarantined().Length);
    }

    [Fact]
    public async Task Run_WhereNoRegistryHasItAnyMore_KeepsRowAndEvidence_AndSaysWhatToDo()
    {
        await PulledAsync();
        await FlipAsync(FileOf(Layer), 100);
        Registry.Intercept = _ => TestKit.FakeResponse.Text(404, "{}");

        var report = await CheckAsync(repair: true);

        Assert.Equal(2, report.Damage);
        Assert.All(report.Findings, one => Assert.NotNull(one.Remedy));
        Assert.Single(Quarantined());
        Registry.Intercept = null;
        await PulledAsync();
        Assert.Empty((await CheckAsync()).Findings);
    }

    [Fact]
    public async Task Run_RepairWithoutFetching_AsksNobody()
    {
        await PulledAsync();
        await FlipAsync(FileOf(Layer), 100);
        Registry.Requests.Clear();

        await CheckAsync(new FsckOptions { Repair = true, Fetch = false });

        Assert.Empty(Registry.Requests);
    }

    [Fact]
    public async Task Run_LabelsThatDoNotKeepWhatADocumentRefersTo_AreSetAgain_AndACollectionTakesNothing()
    {
        var manifest = await PulledAsync();
        await using (var engine = await OpenAsync())
        {
            var gone = engine.Content.Find(manifest)!.Labels.Keys.Where(key => key.StartsWith(Labels.RefContent, StringComparison.Ordinal));
            await engine.Content.UpdateLabelsAsync(manifest, LabelUpdate.Set(gone.ToDictionary(key => key, _ => string.Empty)), Ct);
        }

        Assert.Equal(FindingKind.ReferencesMissing, Assert.Single((await CheckAsync()).Findings).Kind);
        Assert.Equal(0, (await CheckAsync(repair: true)).Damage);

        await using var again = await OpenAsync();
        await again.CollectAsync(Ct);
        Assert.Equal(4, again.Content.List().Count);
    }

    [Fact]
    public async Task Run_AnIndexThatNamesTheNextThousandsOfTimes_IsLookedAtOnce()
    {
        var target = Registry.AddImage("one", ImageBuilder.Tar("a", 5_000));
        for (var depth = 0; depth < 6; depth++)
        {
            target = Registry.AddIndex($"bomb{depth}", [.. Enumerable.Repeat((target, (string?)Platform.Current.ToString()), 4096)]);
        }

        await PullAsync(Reference("bomb5"));

        Assert.Empty((await CheckAsync()).Findings);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pull_OfAnImageWhoseManifestIsGoneOrDamaged_BringsItAgain(bool damaged)
    {
        var manifest = await PulledAsync();
        var path = Path.Combine(Root, "content/blobs/sha256", manifest.Hex);
        if (damaged)
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await File.WriteAllTextAsync(path, new string('x', (int)new FileInfo(path).Length), Ct);
        }
        else
        {
            File.Delete(path);
        }

        await PulledAsync();

        Assert.Empty((await CheckAsync()).Findings);
    }

    [Fact]
    public async Task Run_ASnapshotWithoutItsFolder_IsForgotten_WithItsChildren_AndUnpackedAgain()
    {
        await PulledAsync();
        await using (var root = await StoreRoot.OpenAsync(Root, new StoreOptions { Access = MetadataAccess.ReadOnly }, Ct))
        {
            var lowest = SnapshotPlaces.All(Root, root.Database).Single(place => place.Parent is null);
            Directory.Delete(lowest.Directory, recursive: true);
        }


        var report = await CheckAsync(repair: true);

        Assert.Equal([FindingKind.SnapshotMissing, FindingKind.SnapshotOrphaned], report.Findings.Select(one => one.Kind).Order());
        Assert.Equal(0, report.Damage);
        Assert.Equal(2, Quarantined().Length);
        await PulledAsync();
        await using var engine = await OpenAsync();
        Assert.Equal(2, (await Snapshots(engine)).Count);
        Assert.Empty((await CheckAsync()).Findings);
    }

    [Fact]
    public async Task Run_StrayAndForeignFiles_AreToldAndNotTouched()
    {
        await PulledAsync();
        var stray = FileOf(Digest.Compute("stray"u8));
        await File.WriteAllTextAsync(stray, "stray", Ct);
        string[] foreign = [Path.Combine(Root, "notes.txt"), Path.Combine(Blobs, "README"), Path.Combine(Root, "content", "other")];
        foreach (var path in foreign)
        {
            await File.WriteAllTextAsync(path, "mine", Ct);
        }

        var report = await CheckAsync(repair: true);

        Assert.Equal(0, report.Damage);
        Assert.Equal(
            [FindingKind.BlobUnclaimed, FindingKind.ForeignFile, FindingKind.ForeignFile, FindingKind.ForeignFile],
            report.Findings.Select(one => one.Kind).Order());
        Assert.All([stray, .. foreign], path => Assert.True(File.Exists(path)));
    }

    [Fact]
    public async Task Run_BlobsThatAreAllDamaged_AreAllFound()
    {
        await PulledAsync();
        foreach (var path in Directory.GetFiles(Blobs))
        {
            await FlipAsync(path, 0);
        }

        Assert.Equal(4, (await CheckAsync()).Findings.Count(one => one.Kind == FindingKind.BlobDamaged));
    }

    private string Blobs => Path.Combine(Root, "content/blobs/sha256");

    private string FileOf(Digest digest) => Path.Combine(Blobs, digest.Hex);

    private string[] Quarantined() => Directory.Exists(Path.Combine(Root, "quarantine"))
        ? [.. Directory.GetFileSystemEntries(Path.Combine(Root, "quarantine")).Where(path => Path.GetFileName(path) != "log")]
        : [];

    private async Task<Digest> PulledAsync()
    {
        Registry.AddImage("latest", s_base, s_top);
        return (await PullAsync()).Manifest;
    }

    private async Task<Digest> ConfigAsync()
    {
        await PulledAsync();
        await using var engine = await OpenAsync();
        return (await engine.InspectAsync(Reference(), Ct)).Manifests[0].Config.Digest;
    }

    private static async Task FlipAsync(string path, int at)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var bytes = await File.ReadAllBytesAsync(path, Ct);
        bytes[at] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, Ct);
    }

    private Task<FsckReport> CheckAsync(bool repair = false) => CheckAsync(new FsckOptions { Repair = repair });

    private Task<FsckReport> CheckAsync(FsckOptions options) => new FsckRun(Options(), options, null).RunAsync(Ct);
}
