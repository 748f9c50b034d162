using ImageStore.Engine.Fsck;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Tests.Fsck;

/// <summary>A database that is damaged or gone comes back from what is whole of it, from its backup and from the disk.</summary>
public sealed class MetadataRepairTests : PullTest
{
    private string Metadata => Path.Combine(Root, "metadata");

    [Theory]
    [InlineData("meta.db", "truncated")]
    [InlineData("meta.db", "gone")]
    [InlineData("meta.log", "truncated")]
    [InlineData("meta.log", "gone")]
    [InlineData("meta.log", "overwritten")]
    public async Task Run_RepairOfADamagedDatabase_HasAllThatWasBackedUp(string file, string how)
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 20_000), ImageBuilder.Tar("b", 20_000));
        await PullAsync();
        await BackUpAsync();
        Damage(Path.Combine(Metadata, file), how);
        var found = Assert.Single((await CheckAsync(repair: false)).Findings);
        Assert.Equal(FindingKind.MetadataDamaged, found.Kind);

        var report = await CheckAsync(repair: true);

        Assert.Equal(0, report.Damage);
        Assert.NotNull(report.Rebuilt!.Backup);
        await using var engine = await OpenAsync();
        Assert.Single(engine.Images.List());
        Assert.Equal(2, (await Snapshots(engine)).Count);
        Registry.Requests.Clear();
        Assert.True((await PullAsync(engine, Reference())).UpToDate);
        Assert.NotEmpty(Directory.GetFileSystemEntries(Path.Combine(Root, "quarantine")));
    }

    [Fact]
    public async Task Run_RepairWithAnOldBackup_GivesImagesWhatTheyNeed_AndTheRestToNoTenant()
    {
        Registry.AddImage("old", ImageBuilder.Tar("a", 20_000));
        await PullAsync(Reference("old"));
        await BackUpAsync();
        Registry.AddImage("new", ImageBuilder.Tar("b", 30_000));
        await PullAsync(Reference("new"));
        Damage(Path.Combine(Metadata, "meta.db"), "gone");
        Damage(Path.Combine(Metadata, "meta.log"), "gone");

        await CheckAsync(repair: true);

        await using (var engine = await OpenAsync())
        {
            Assert.Equal([Reference("old")], engine.Images.List().Select(image => image.Name));
            Assert.True((await PullAsync(engine, Reference("old"))).UpToDate);
        }

        await using var recovered = await OpenAsync(ns: "recovered");
        var image = Assert.Single(recovered.Images.List());
        Assert.StartsWith("recovered.invalid/", image.Name, StringComparison.Ordinal);
        await recovered.CollectAsync(Ct);
        Assert.Equal(3, recovered.Content.List().Count);
        Assert.True((await recovered.InspectAsync(image.Name, Ct)).Manifests[0].Complete);
    }

    [Fact]
    public async Task Run_RepairWithoutAnyBackup_KeepsEveryBlob_AndACollectionTakesNone()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 20_000));
        await PullAsync();
        var blobs = Directory.GetFiles(Path.Combine(Root, "content/blobs/sha256")).Order(StringComparer.Ordinal).ToList();
        Directory.Delete(Metadata, recursive: true);

        var report = await CheckAsync(repair: true);

        Assert.Equal(0, report.Damage);
        await using var engine = await OpenAsync(ns: "recovered");
        await engine.CollectAsync(Ct);
        Assert.Equal(blobs, Directory.GetFiles(Path.Combine(Root, "content/blobs/sha256")).Order(StringComparer.Ordinal));
        Assert.Single(engine.Images.List());
    }

    [Fact]
    public async Task Open_OfARootThatHasBlobsAndNoDatabase_IsRefused_AndLosesNothing()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 20_000));
        await PullAsync();
        Directory.Delete(Metadata, recursive: true);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => OpenAsync());

        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Contains("fsck --repair", failure.Remedy, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Metadata));
    }

    [Fact]
    public async Task Dispose_AfterAChange_BacksUp_AndNotAgainSoon()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 20_000));
        await PullAsync();
        var first = Backups();
        Assert.Single(first);
        Registry.AddImage("other", ImageBuilder.Tar("b", 20_000));
        await PullAsync(Reference("other"));
        Assert.Equal(first, Backups());

        for (var i = 0; i < 10; i++)
        {
            await BackUpAsync();
        }

        Assert.Equal(5, Backups().Count);
    }

    private List<string> Backups() => [.. Directory.GetFiles(Path.Combine(Metadata, "backups")).Order(StringComparer.Ordinal)];

    private async Task BackUpAsync()
    {
        await using var root = await StoreRoot.OpenAsync(Root, new StoreOptions(), Ct);
        root.BackUp();
    }

    private static void Damage(string path, string how)
    {
        switch (how)
        {
            case "gone":
                File.Delete(path);
                break;
            case "truncated":
                using (var file = File.OpenWrite(path))
                {
                    file.SetLength(file.Length / 2);
                }

                break;
            default:
                using (var file = File.OpenWrite(path))
                {
                    file.Position = 5000;
                    file.Write(new byte[file.Length - 5000]);
                }

                break;
        }
    }

    private Task<FsckReport> CheckAsync(bool repair) => new FsckRun(Options(), new FsckOptions { Repair = repair }, null).RunAsync(Ct);
}
