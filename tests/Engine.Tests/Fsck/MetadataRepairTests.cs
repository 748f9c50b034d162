using ImageStore.Engine.Fsck;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Resources;

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

        await using var recovered = await OpenAsync(ns: await RecoveredAsync());
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
        await using var engine = await OpenAsync(ns: await RecoveredAsync());
        await engine.CollectAsync(Ct);
        Assert.Equal(blobs, Directory.GetFiles(Path.Combine(Root, "content/blobs/sha256")).Order(StringComparer.Ordinal));
        Assert.Single(engine.Images.List());
    }

    [Fact]
    public async Task Run_RepairOfARootWithSeveralTenants_GivesNoneWhatItsImagesOnlyName()
    {
        Registry.AddImage("private", ImageBuilder.Tar("a", 20_000));
        await using (var victim = await OpenAsync(ns: "victim"))
        {
            await PullAsync(victim, Reference("private"));
        }

        // The other one has an image with the same manifest's digest, as an index of its own could name it.
        await using (var other = await OpenAsync(ns: "other"))
        {
            await PullAsync(other, Reference("private"));
        }

        await BackUpAsync(emptied: true);
        Damage(Path.Combine(Metadata, "meta.db"), "gone");

        await CheckAsync(repair: true);

        await using var after = await OpenAsync(ns: "other");
        Assert.Single(after.Images.List());
        Assert.Empty(after.Content.List());
        await using var recovered = await StoreRoot.OpenAsync(Root, new StoreOptions { Access = MetadataAccess.ReadOnly }, Ct);
        Assert.Equal(3, recovered.Content(await RecoveredAsync()).List().Count);
    }

    [Fact]
    public async Task Run_RepairThatIsStopped_KeepsOthersOut_AndGoesOn()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 20_000));
        await PullAsync();
        Directory.Delete(Metadata, recursive: true);
        await StoreRoot.RebuildMetadataAsync(Root, new StoreOptions(), Ct);

        var refused = await Assert.ThrowsAsync<ImageStoreException>(() => OpenAsync());
        Assert.Equal(ErrorKind.FailedPrecondition, refused.Kind);
        Assert.Contains("fsck --repair", refused.Remedy, StringComparison.Ordinal);
        Assert.Equal(1, (await CheckAsync(repair: false)).Damage);
        Assert.Equal(0, (await CheckAsync(repair: true)).Damage);

        await using var engine = await OpenAsync();
        await engine.CollectAsync(Ct);
        Assert.Equal(3, Directory.GetFiles(Path.Combine(Root, "content/blobs/sha256")).Length);
    }

    [Fact]
    public async Task Run_RepairWithImagesOfABackup_KeepsWhatNewerImagesKept()
    {
        Registry.AddImage("old", ImageBuilder.Tar("a", 20_000));
        await PullAsync(Reference("old"));
        Registry.AddImage("new", ImageBuilder.Tar("b", 30_000));
        await PullAsync(Reference("new"));
        await using (var engine = await OpenAsync())
        {
            // As a backup from before the second pull has it, beside blobs of now.
            await engine.Images.RemoveAsync(Reference("new"), Ct);
        }

        await File.WriteAllTextAsync(Path.Combine(Metadata, "rebuilt.json"), """{"at":"2026-11-24T10:00:00Z","lost":["images"]}""", Ct);
        Assert.Equal(0, (await CheckAsync(repair: true)).Damage);

        await using var after = await OpenAsync();
        await after.CollectAsync(Ct);
        Assert.Equal(2, after.Images.List().Count);
        Assert.Equal(6, after.Content.List().Count);
        Assert.Equal(2, (await Snapshots(after)).Count);
    }

    [Fact]
    public async Task Backups_OfAClockThatWasAhead_AreTheLastToBeTaken_AndTheFirstToGo()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 20_000));
        await PullAsync();
        var backup = Backups().Single();
        for (var i = 0; i < 5; i++)
        {
            File.Copy(backup, Path.Combine(Metadata, "backups", $"2099010{i + 1}T000000000Z.jsonl.gz"));
        }

        await BackUpAsync();

        Assert.Equal(5, Backups().Count);
        Assert.Equal(2, Backups().Count(path => !Path.GetFileName(path).StartsWith("2099", StringComparison.Ordinal)));
        await using var root = await StoreRoot.OpenAsync(Root, new StoreOptions { Access = MetadataAccess.ReadOnly }, Ct);
        Assert.False(root.IsBackupDue);
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

    /// <summary>Backs up; with <paramref name="emptied"/> without any rows of blobs, which stay on the disk.</summary>
    private async Task BackUpAsync(bool emptied = false)
    {
        await using var root = await StoreRoot.OpenAsync(Root, new StoreOptions(), Ct);
        if (emptied)
        {
            var content = root.Resources.Single(table => table.Kind == ResourceKind.Content);
            await root.Database.CommitAsync(
                tx => content.Namespaces(tx).SelectMany(ns => content.All(tx, ns)).Select(row => row.Resource).ToList()
                    .ForEach(blob => content.Remove(tx, blob)),
                Ct);
        }

        root.BackUp();
    }

    private async Task<string> RecoveredAsync()
    {
        await using var root = await StoreRoot.OpenAsync(Root, new StoreOptions { Access = MetadataAccess.ReadOnly }, Ct);
        return root.Namespaces.List().Single(ns => ns.Name.StartsWith("recovered-", StringComparison.Ordinal)).Name;
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
