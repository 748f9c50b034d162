using ImageStore.Snapshotters.Erofs;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Snapshotters.Tests.Layers;
using ImageStore.Store.Metadata;

namespace ImageStore.Snapshotters.Tests.Erofs;

/// <summary>Layers are mounted once while somebody stands on them, and not a moment longer than that is known.</summary>
public sealed class LayerMountsTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string> s_none = [];
    private static readonly CancellationToken s_ct = CancellationToken.None;
    private readonly string _root = Directory.CreateTempSubdirectory("layer-mounts-").FullName;
    private MetadataDb _db = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _db = await MetadataDb.OpenAsync(Path.Combine(_root, "db"), MetadataAccess.ReadWrite, s_ct);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var folder in SnapshotPlaces.Folders(_root))
        {
            RemovedTrees.Unmount(folder);
        }

        await (_db?.DisposeAsync() ?? ValueTask.CompletedTask);
        TreeRemover.RemoveTree(_root);
    }

    [Fact]
    public async Task Remove_OfTheLastThatStandsOnALayer_UnmountsIt()
    {
        var snapshotter = await OpenAsync("n");
        await LayerAsync(snapshotter, "one", null);
        await LayerAsync(snapshotter, "two", "one");
        Assert.Equal(0, Mounted());
        await snapshotter.PrepareAsync("a", "two", s_none, s_ct);
        await snapshotter.ViewAsync("b", "one", s_none, s_ct);
        Assert.Equal(2, Mounted());

        await snapshotter.RemoveAsync("a", s_ct);
        Assert.Equal(1, Mounted());
        await snapshotter.RemoveAsync("b", s_ct);
        Assert.Equal(0, Mounted());
        await snapshotter.RemoveAsync("two", s_ct);
        await snapshotter.RemoveAsync("one", s_ct);
        Assert.Empty(SnapshotPlaces.Folders(_root));
    }

    [Fact]
    public async Task Commit_OfAnActiveSnapshot_UnmountsWhatItStoodOn()
    {
        var snapshotter = await OpenAsync("n");
        await LayerAsync(snapshotter, "one", null);
        await snapshotter.PrepareAsync("key", "one", s_none, s_ct);

        await snapshotter.CommitAsync("two", "key", s_none, s_ct);

        Assert.Equal(0, Mounted());
        Assert.All(SnapshotPlaces.Folders(_root), folder => Assert.Equal(
            [SnapshotPlaces.ImageName], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Where(name => name != SnapshotPlaces.MountedName)));
    }

    [Fact]
    public async Task Open_AfterADeath_UnmountsWhatNobodyStandsOn_AndKeepsTheOthers()
    {
        var snapshotter = await OpenAsync("n");
        await LayerAsync(snapshotter, "one", null);
        await LayerAsync(snapshotter, "two", null);
        await snapshotter.ViewAsync("kept", "one", s_none, s_ct);
        await snapshotter.ViewAsync("extract-of-the-dead", "two", s_none, s_ct);
        await SnapshotterFactory.DiscardAsync(_db, "extract-", s_ct);
        Assert.Equal(2, Mounted());

        // Another namespace's opening must not take what this one's views stand on.
        await OpenAsync("other");

        Assert.Equal(1, Mounted());
        Assert.Equal("one", File.ReadAllText(Path.Combine((await snapshotter.MountsAsync("kept", s_ct))[0].Source, "one")));
    }

    [Fact]
    public async Task Mounts_AfterAReboot_AreMadeAgain()
    {
        var snapshotter = await OpenAsync("n");
        await LayerAsync(snapshotter, "one", null);
        await snapshotter.ViewAsync("view", "one", s_none, s_ct);
        foreach (var folder in SnapshotPlaces.Folders(_root))
        {
            RemovedTrees.Unmount(folder);
        }

        var mounts = await snapshotter.MountsAsync("view", s_ct);

        Assert.Equal("one", File.ReadAllText(Path.Combine(mounts[0].Source, "one")));
    }

    [Fact]
    public async Task Mount_OverALoopDevice_ShowsTheSame_AndLetsTheDeviceGo()
    {
        var snapshotter = await OpenAsync("n");
        await LayerAsync(snapshotter, "one", null);
        var directories = new SnapshotDirectories(_root, "erofs");
        var id = directories.Ids().Single();
        var mounts = new LayerMounts(directories, isLoop: true);

        var target = mounts.Mount(id);

        Assert.Equal("one", File.ReadAllText(Path.Combine(target, "one")));
        Assert.Equal(1, Devices());
        mounts.Release([id], () => []);
        for (var attempt = 0; Devices() > 0 && attempt < 100; attempt++)
        {
            await Task.Delay(50, s_ct);
        }

        Assert.Equal(0, Devices());
        Assert.False(MountPoint.Is(target));
    }

    [Fact]
    public async Task Usage_OfAMountedLayer_CountsTheImageOnce()
    {
        var snapshotter = await OpenAsync("n");
        await LayerAsync(snapshotter, "one", null);
        var folder = SnapshotPlaces.Folders(_root).Single();
        var before = TreeUsage.Measure(folder, s_ct).Bytes;
        await snapshotter.ViewAsync("view", "one", s_none, s_ct);

        // The directory that it is mounted on is all that came.
        Assert.InRange(TreeUsage.Measure(folder, s_ct).Bytes, before, before + 8192);
    }

    private static async Task LayerAsync(ISnapshotter snapshotter, string name, string? parent)
    {
        var layer = await snapshotter.PrepareLayerAsync("extract-" + name, s_none, s_ct);
        var applied = layer.Apply(
            new MemoryStream(TarBytes.Of(TarBytes.File(name, name), TarBytes.File("big", new string('x', 1 << 20)))), LayerCompression.None, new LayerLimits(), null, s_ct);
        await snapshotter.CommitLayerAsync(name, "extract-" + name, parent, applied, s_none, s_ct);
    }

    private int Mounted() => File.ReadLines("/proc/self/mountinfo").Count(line => line.Contains(_root, StringComparison.Ordinal));

    private int Devices() => Directory.GetDirectories("/sys/block", "loop*").Select(device => Path.Combine(device, "loop", "backing_file"))
        .Count(file => File.Exists(file) && ReadOrEmpty(file).Contains(_root, StringComparison.Ordinal));

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            // The device was let go meanwhile.
            return string.Empty;
        }
    }

    private Task<ISnapshotter> OpenAsync(string @namespace) =>
        SnapshotterFactory.OpenAsync("erofs", _root, @namespace, _db, TimeProvider.System, s_ct);
}
