using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using Xunit;

namespace ImageStore.Conformance;

/// <summary>What every snapshotter must do; a subclass names the kind.</summary>
public abstract class SnapshotterSuite : IAsyncLifetime
{
    private const string Namespace = "suite";
    private static readonly Dictionary<string, string> s_none = [];
    private static readonly CancellationToken s_ct = CancellationToken.None;
    private readonly List<string> _mounted = [];
    private MetadataDb _db = null!;

    protected abstract string Kind { get; }

    /// <summary>How many layers a chain must bear.</summary>
    protected abstract int DeepChain { get; }

    protected string Root { get; } = Path.Combine(Path.GetTempPath(), "snapshots-" + Guid.NewGuid().ToString("N"));

    protected ISnapshotter Snapshotter { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (Environment.UserName != "root")
        {
            Assert.Skip("Snapshots need root.");
        }

        Directory.CreateDirectory(Root);
        await OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var target in _mounted)
        {
            await Mounter.UnmountAllAsync(target, detach: true, s_ct);
        }

        if (_db is not null)
        {
            await _db.DisposeAsync();
        }

        if (Directory.Exists(Root))
        {
            foreach (var folder in SnapshotPlaces.Folders(Root))
            {
                RemovedTrees.Unmount(folder);
            }

            Directory.Delete(Root, recursive: true);
        }
    }

    [Fact]
    public async Task Commit_ChainOfThree_ViewShowsMergedContent()
    {
        await LayerAsync("one", null, root =>
        {
            File.WriteAllText(Path.Combine(root, "kept"), "1");
            File.WriteAllText(Path.Combine(root, "gone"), "1");
            File.WriteAllText(Path.Combine(root, "replaced"), "1");
            Directory.CreateDirectory(Path.Combine(root, "dir"));
            File.WriteAllText(Path.Combine(root, "dir", "old"), "1");
        });
        await LayerAsync("two", "one", root =>
        {
            File.Delete(Path.Combine(root, "gone"));
            File.WriteAllText(Path.Combine(root, "replaced"), "2");
            Directory.Delete(Path.Combine(root, "dir"), recursive: true);
            Directory.CreateDirectory(Path.Combine(root, "dir"));
        });
        await LayerAsync("three", "two", root => File.WriteAllText(Path.Combine(root, "dir", "new"), "3"));

        var target = Mount(await Snapshotter.ViewAsync("view", "three", s_none, s_ct));

        Assert.Equal("1", File.ReadAllText(Path.Combine(target, "kept")));
        Assert.Equal("2", File.ReadAllText(Path.Combine(target, "replaced")));
        Assert.False(File.Exists(Path.Combine(target, "gone")));
        Assert.Equal(["new"], Directory.GetFiles(Path.Combine(target, "dir")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task View_WriteIntoIt_IsRefused()
    {
        await LayerAsync("one", null, root => File.WriteAllText(Path.Combine(root, "a"), "1"));
        var target = Mount(await Snapshotter.ViewAsync("view", "one", s_none, s_ct));

        Assert.ThrowsAny<IOException>(() => File.WriteAllText(Path.Combine(target, "b"), "2"));
    }

    [Fact]
    public async Task Prepare_WriteIntoIt_LeavesParentAlone()
    {
        await LayerAsync("one", null, root => File.WriteAllText(Path.Combine(root, "a"), "1"));
        var active = Mount(await Snapshotter.PrepareAsync("active", "one", s_none, s_ct));
        File.WriteAllText(Path.Combine(active, "a"), "changed");

        var view = Mount(await Snapshotter.ViewAsync("view", "one", s_none, s_ct));

        Assert.Equal("1", File.ReadAllText(Path.Combine(view, "a")));
    }

    [Fact]
    public async Task Prepare_ParentActiveOrAbsent_IsRefused()
    {
        await Snapshotter.PrepareAsync("active", null, s_none, s_ct);

        await FailsAsync(ErrorKind.FailedPrecondition, () => Snapshotter.PrepareAsync("b", "active", s_none, s_ct));
        await FailsAsync(ErrorKind.NotFound, () => Snapshotter.PrepareAsync("b", "absent", s_none, s_ct));
    }

    [Fact]
    public async Task PrepareAndCommit_NameInUse_IsAlreadyExists()
    {
        await LayerAsync("one", null, _ => { });
        await Snapshotter.PrepareAsync("active", null, s_none, s_ct);

        await FailsAsync(ErrorKind.AlreadyExists, () => Snapshotter.PrepareAsync("one", null, s_none, s_ct));
        await FailsAsync(ErrorKind.AlreadyExists, () => Snapshotter.ViewAsync("active", null, s_none, s_ct));
        await FailsAsync(ErrorKind.AlreadyExists, () => Snapshotter.CommitAsync("one", "active", s_none, s_ct));
        Assert.NotNull(await Snapshotter.StatAsync("active", s_ct));
    }

    [Fact]
    public async Task Commit_ViewOrCommittedOrAbsent_IsRefused()
    {
        await LayerAsync("one", null, _ => { });
        await Snapshotter.ViewAsync("view", "one", s_none, s_ct);

        await FailsAsync(ErrorKind.FailedPrecondition, () => Snapshotter.CommitAsync("x", "view", s_none, s_ct));
        await FailsAsync(ErrorKind.FailedPrecondition, () => Snapshotter.CommitAsync("x", "one", s_none, s_ct));
        await FailsAsync(ErrorKind.NotFound, () => Snapshotter.CommitAsync("x", "absent", s_none, s_ct));
    }

    [Fact]
    public async Task Remove_WithChildren_IsRefusedUntilTheyAreGone()
    {
        await LayerAsync("one", null, _ => { });
        await Snapshotter.PrepareAsync("child", "one", s_none, s_ct);

        await FailsAsync(ErrorKind.FailedPrecondition, () => Snapshotter.RemoveAsync("one", s_ct));
        await Snapshotter.RemoveAsync("child", s_ct);
        await Snapshotter.RemoveAsync("one", s_ct);

        Assert.Empty(await Snapshotter.WalkAsync(s_ct));
        Assert.Empty(Directory.GetDirectories(Path.Combine(Root, "snapshots", Kind)));
        await FailsAsync(ErrorKind.NotFound, () => Snapshotter.RemoveAsync("one", s_ct));
    }

    [Fact]
    public async Task StatUpdateWalk_Labels_AreReplaced()
    {
        await LayerAsync("one", null, _ => { });
        await Snapshotter.PrepareAsync("two", "one", new Dictionary<string, string> { ["a"] = "1" }, s_ct);
        await Snapshotter.UpdateLabelsAsync("two", new Dictionary<string, string> { ["b"] = "2" }, s_ct);

        var info = await Snapshotter.StatAsync("two", s_ct);

        Assert.Equal((SnapshotKind.Active, "one"), (info!.Kind, info.Parent));
        Assert.Equal("2", Assert.Single(info.Labels).Value);
        Assert.Equal(["one", "two"], (await Snapshotter.WalkAsync(s_ct)).Select(item => item.Name));
        Assert.Null(await Snapshotter.StatAsync("absent", s_ct));
        await FailsAsync(ErrorKind.NotFound, () => Snapshotter.UpdateLabelsAsync("absent", s_none, s_ct));
        await FailsAsync(ErrorKind.FailedPrecondition, () => Snapshotter.MountsAsync("one", s_ct));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\nb")]
    public async Task Prepare_BadKey_IsInvalidArgument(string key) =>
        await FailsAsync(ErrorKind.InvalidArgument, () => Snapshotter.PrepareAsync(key, null, s_none, s_ct));

    [Fact]
    public async Task Prepare_LabelTooLong_IsInvalidArgument()
    {
        var labels = new Dictionary<string, string> { ["k"] = new('v', 4096) };

        await FailsAsync(ErrorKind.InvalidArgument, () => Snapshotter.PrepareAsync("a", null, labels, s_ct));
    }

    [Fact]
    public async Task Usage_CommittedFile_CountsItsBlocks()
    {
        await LayerAsync("one", null, root => File.WriteAllBytes(Path.Combine(root, "a"), new byte[1 << 20]));

        var usage = await Snapshotter.UsageAsync("one", s_ct);

        Assert.Equal(2, usage.Inodes);
        Assert.InRange(usage.Bytes, 1 << 20, (1 << 20) + 65536);
        Assert.Equal(usage, await Snapshotter.UsageAsync("one", s_ct));
    }

    [Fact]
    public async Task View_DeepChain_ShowsEveryLayer()
    {
        string? parent = null;
        for (var i = 0; i < DeepChain; i++)
        {
            await Snapshotter.PrepareAsync($"key{i}", parent, s_none, s_ct);
            var mounts = await Snapshotter.MountsAsync($"key{i}", s_ct);
            var upper = mounts[0].Options.FirstOrDefault(option => option.StartsWith("upperdir=", StringComparison.Ordinal));
            File.WriteAllText(Path.Combine(upper?["upperdir=".Length..] ?? mounts[0].Source, $"f{i}"), "x");
            await Snapshotter.CommitAsync($"layer{i}", $"key{i}", s_none, s_ct);
            parent = $"layer{i}";
        }

        var target = Mount(await Snapshotter.PrepareAsync("top", parent, s_none, s_ct));
        File.WriteAllText(Path.Combine(target, "mine"), "x");

        Assert.Equal(DeepChain + 1, Directory.GetFiles(target).Length);
    }

    [Fact]
    public async Task Open_Again_KeepsSnapshotsAndSweepsOrphans()
    {
        await LayerAsync("one", null, root => File.WriteAllText(Path.Combine(root, "a"), "1"));
        await Snapshotter.MarkSyncedAsync(TimeSpan.Zero, s_ct);
        var folder = Path.Combine(Root, "snapshots", Kind);
        Directory.CreateDirectory(Path.Combine(folder, "9999", "fs"));
        Directory.CreateDirectory(Path.Combine(folder, "removing-7", "fs"));
        await _db.DisposeAsync();

        await OpenAsync();

        Assert.Single(Directory.GetDirectories(folder));
        var target = Mount(await Snapshotter.ViewAsync("view", "one", s_none, s_ct));
        Assert.Equal("1", File.ReadAllText(Path.Combine(target, "a")));
    }

    [Fact]
    public async Task CommitLayer_ParentCameLater_EqualsTheNormalWay()
    {
        var layer = await Snapshotter.PrepareLayerAsync("upper", s_none, s_ct);
        var applied = OneFile(layer);
        await FailsAsync(ErrorKind.NotFound, () => Snapshotter.CommitLayerAsync(
            "two", "upper", "one", applied, s_none, s_ct));
        await LayerAsync("one", null, root => File.WriteAllText(Path.Combine(root, "a"), "1"));

        await Snapshotter.CommitLayerAsync("two", "upper", "one", applied, s_none, s_ct);

        var target = Mount(await Snapshotter.PrepareAsync("active", "two", s_none, s_ct));
        Assert.Equal("1", File.ReadAllText(Path.Combine(target, "a")));
        Assert.Equal("2", File.ReadAllText(Path.Combine(target, "b")));
        Assert.Equal("one", (await Snapshotter.StatAsync("two", s_ct))!.Parent);
        Assert.Null(await Snapshotter.StatAsync("upper", s_ct));
    }

    [Fact]
    public async Task CommitLayer_NameInUse_RemovesTheKey()
    {
        await LayerAsync("one", null, _ => { });
        var applied = OneFile(await Snapshotter.PrepareLayerAsync("again", s_none, s_ct));

        await FailsAsync(ErrorKind.AlreadyExists, () => Snapshotter.CommitLayerAsync(
            "one", "again", null, applied, s_none, s_ct));

        Assert.Null(await Snapshotter.StatAsync("again", s_ct));
        Assert.Single(Directory.GetDirectories(Path.Combine(Root, "snapshots", Kind)));
    }

    protected string Mount(IReadOnlyList<Mount> mounts)
    {
        var target = Path.Combine(Root, "mnt-" + _mounted.Count);
        Directory.CreateDirectory(target);
        Mounter.MountAll(mounts, target);
        _mounted.Add(target);
        return target;
    }

    // The file "b".
    private static AppliedLayer OneFile(LayerSnapshot layer)
    {
        using var bytes = new MemoryStream();
        using (var tar = new System.Formats.Tar.TarWriter(bytes, leaveOpen: true))
        {
            tar.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "b") { DataStream = new MemoryStream("2"u8.ToArray()) });
        }

        bytes.Position = 0;
        return layer.Apply(bytes, LayerCompression.None, new LayerLimits(), null, s_ct);
    }

    private static async Task FailsAsync(ErrorKind kind, Func<Task> action) =>
        Assert.Equal(kind, (await Assert.ThrowsAsync<ImageStoreException>(action)).Kind);

    private async Task LayerAsync(string name, string? parent, Action<string> write)
    {
        var target = Mount(await Snapshotter.PrepareAsync("key-" + name, parent, s_none, s_ct));
        write(target);
        await Mounter.UnmountAsync(target, detach: false, s_ct);
        await Snapshotter.CommitAsync(name, "key-" + name, s_none, s_ct);
    }

    private async Task OpenAsync()
    {
        _db = await MetadataDb.OpenAsync(Path.Combine(Root, "metadata"), MetadataAccess.ReadWrite, s_ct);
        Snapshotter = await SnapshotterFactory.OpenAsync(Kind, Root, Namespace, _db, TimeProvider.System, s_ct);
    }
}
