using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Overlay;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Snapshotters.Tests.Overlay;

/// <summary>Overlays that are mounted as the configuration has it.</summary>
public sealed class OverlayOptionsTests : IAsyncLifetime
{
    private static readonly CancellationToken s_ct = CancellationToken.None;
    private static readonly Dictionary<string, string> s_none = [];
    private readonly string _root = Directory.CreateTempSubdirectory("options-").FullName;
    private MetadataDb _db = null!;

    private string Target => Directory.CreateDirectory(Path.Combine(_root, "target")).FullName;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Mounts need root.");
        _db = await MetadataDb.OpenAsync(Path.Combine(_root, "db"), MetadataAccess.ReadWrite, s_ct);
    }

    public async ValueTask DisposeAsync()
    {
        await Mounter.UnmountAllAsync(Target, detach: true, s_ct);
        await _db.DisposeAsync();
        TreeRemover.RemoveTree(_root);
    }

    [Fact]
    public async Task Volatile_WithinOneRunOfTheMachine_IsMountedAgainAndCommitted()
    {
        var snapshotter = await VolatileAsync();
        for (var i = 0; i < 2; i++)
        {
            Mounter.MountAll(await snapshotter.MountsAsync("active", s_ct), Target);
            Assert.True(Directory.Exists(Path.Combine(Work(), "work", "incompat", "volatile")));
            await File.WriteAllTextAsync(Path.Combine(Target, $"written{i}"), "x");
            await Mounter.UnmountAllAsync(Target, detach: false, s_ct);
        }

        await snapshotter.CommitAsync("done", "active", s_none, s_ct);
        Mounter.MountAll(await snapshotter.ViewAsync("view", "done", s_none, s_ct), Target);
        Assert.True(File.Exists(Path.Combine(Target, "written1")));
    }

    [Fact]
    public async Task Volatile_AfterTheMachineWentDown_IsRefusedUntilRemoved()
    {
        var snapshotter = await VolatileAsync();
        Mounter.MountAll(await snapshotter.MountsAsync("active", s_ct), Target);
        await Mounter.UnmountAllAsync(Target, detach: true, s_ct);
        await _db.CommitAsync(
            tx => tx.Put(SnapshotCatalogue.Table, "n/overlayfs/active", tx.Get(SnapshotCatalogue.Table, "n/overlayfs/active")! with { BootId = "another" }), s_ct);

        foreach (var use in new Func<Task>[]
            { () => snapshotter.MountsAsync("active", s_ct), () => snapshotter.CommitAsync("done", "active", s_none, s_ct) })
        {
            var refused = await Assert.ThrowsAsync<ImageStoreException>(use);
            Assert.Equal(ErrorKind.FailedPrecondition, refused.Kind);
            Assert.Contains("volatile", refused.Message, StringComparison.Ordinal);
        }

        await snapshotter.RemoveAsync("active", s_ct);
        Assert.Contains("volatile", (await snapshotter.PrepareAsync("active", "base", s_none, s_ct))[0].Options);
    }

    [Fact]
    public async Task Volatile_TurnedOff_LeavesWhatWasPreparedBefore()
    {
        _ = await VolatileAsync();
        var later = await OpenAsync(new OverlayOptions());

        Assert.Contains("volatile", (await later.MountsAsync("active", s_ct))[0].Options);
        Assert.DoesNotContain("volatile", (await later.PrepareAsync("other", "base", s_none, s_ct))[0].Options);
    }

    [Fact]
    public async Task MountOptions_OfTheConfiguration_AreOnEveryMount()
    {
        var snapshotter = await OpenAsync(new OverlayOptions { MountOptions = ["default_permissions", "nodev", "noatime"] });
        await LayersAsync(snapshotter, 2);
        await snapshotter.PrepareAsync("active", "layer1", s_none, s_ct);
        await snapshotter.ViewAsync("view", "layer1", s_none, s_ct);
        await snapshotter.ViewAsync("bind", "layer0", s_none, s_ct);
        foreach (var key in new[] { "active", "view", "bind" })
        {
            Mounter.MountAll(await snapshotter.MountsAsync(key, s_ct), Target);
            Assert.Contains("nodev,noatime", MountLine(), StringComparison.Ordinal);
            Assert.Equal(key != "bind", Superblock().Contains("default_permissions", StringComparison.Ordinal));
            await Mounter.UnmountAllAsync(Target, detach: false, s_ct);
        }
    }

    [Fact]
    public async Task MountOptions_KernelDoesNotTake_AreNamed()
    {
        // Nothing that is checked is refused by this kernel: what is not checked stands for it.
        var refused = await Assert.ThrowsAsync<ImageStoreException>(() => OpenAsync(new OverlayOptions { MountOptions = ["unheard_of=1"] }));

        Assert.Equal(ErrorKind.Unsupported, refused.Kind);
        Assert.Contains("unheard_of=1", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_root, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nodev", true)]
    [InlineData("xino=auto", true)]
    [InlineData("nodev=1", false)]
    [InlineData("xino", false)]
    [InlineData("volatile", false)]
    [InlineData("metacopy=on", false)]
    [InlineData("redirect_dir=on", false)]
    [InlineData("userxattr", false)]
    [InlineData("uidmap=0:0:1", false)]
    [InlineData("", false)]
    public void Fault_OfAnOption_IsFoundWhereItCouldBreakUs(string option, bool isRight) => Assert.Equal(isRight, OverlayOptions.Fault(option) is null);

    [Theory]
    [InlineData(130)]
    [InlineData(500)]
    public async Task Mounts_OfSoManyLayers_ShowAll(int layers)
    {
        var snapshotter = await OpenAsync(new OverlayOptions { MountOptions = ["nodev", "noatime"] });
        await StackAsync(layers);

        Mounter.MountAll(await snapshotter.ViewAsync("view", $"layer{layers}", s_none, s_ct), Target);
        Assert.Equal(layers, Directory.GetFiles(Target).Length);
        Assert.Contains("nodev,noatime", MountLine(), StringComparison.Ordinal);
        await Mounter.UnmountAllAsync(Target, detach: false, s_ct);
        Mounter.MountAll(await snapshotter.PrepareAsync("active", $"layer{layers}", s_none, s_ct), Target);
        await File.WriteAllTextAsync(Path.Combine(Target, "f1"), "changed");
        Assert.Equal(layers, Directory.GetFiles(Target).Length);
    }

    [Fact]
    public async Task PrepareAndView_OfMoreLayersThanTheKernelStacks_SayTheWayOutAndLeaveNothing()
    {
        var snapshotter = await OpenAsync(new OverlayOptions());
        await StackAsync(501);
        var before = Directory.GetDirectories(Path.Combine(_root, "snapshots", "overlayfs")).Length;

        foreach (var make in new Func<Task>[]
            { () => snapshotter.PrepareAsync("new", "layer501", s_none, s_ct), () => snapshotter.ViewAsync("new", "layer501", s_none, s_ct) })
        {
            var refused = await Assert.ThrowsAsync<ImageStoreException>(make);
            Assert.Equal(ErrorKind.LimitExceeded, refused.Kind);
            Assert.Contains("500", refused.Message, StringComparison.Ordinal);
            Assert.Contains("--snapshotter native", refused.Remedy, StringComparison.Ordinal);
        }

        Assert.Null(await snapshotter.StatAsync("new", s_ct));
        Assert.Equal(before, Directory.GetDirectories(Path.Combine(_root, "snapshots", "overlayfs")).Length);
    }

    private async Task<ISnapshotter> VolatileAsync()
    {
        var snapshotter = await OpenAsync(new OverlayOptions { Volatile = true });
        var made = await snapshotter.PrepareAsync("key", null, s_none, s_ct);
        await File.WriteAllTextAsync(Path.Combine(made[0].Source, "file"), "x");
        await snapshotter.CommitAsync("base", "key", s_none, s_ct);
        await snapshotter.PrepareAsync("active", "base", s_none, s_ct);
        return snapshotter;
    }

    private static async Task LayersAsync(ISnapshotter snapshotter, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await snapshotter.PrepareAsync("key", i == 0 ? null : $"layer{i - 1}", s_none, s_ct);
            await snapshotter.CommitAsync($"layer{i}", "key", s_none, s_ct);
        }
    }

    // Straight into the table: hundreds of commits would each wait for the disk.
    private Task StackAsync(int layers)
    {
        const int firstId = 100_000;
        var boot = Store.MachineBoot.Id;
        for (var i = 1; i <= layers; i++)
        {
            var fs = Directory.CreateDirectory(Path.Combine(_root, "snapshots", "overlayfs", $"{firstId + i}", "fs")).FullName;
            File.WriteAllText(Path.Combine(fs, $"f{i}"), "x");
        }

        return _db.CommitAsync(
            tx =>
            {
                for (var i = 1; i <= layers; i++)
                {
                    tx.Put(SnapshotCatalogue.Table, $"n/overlayfs/layer{i}", new SnapshotRow
                    {
                        Kind = SnapshotKind.Committed, Id = firstId + i, Parent = i == 1 ? null : $"layer{i - 1}", Labels = [],
                        CreatedAt = DateTimeOffset.UnixEpoch, UpdatedAt = DateTimeOffset.UnixEpoch, BootId = boot,
                    });
                }
            },
            s_ct);
    }

    private string Work() => Directory.GetDirectories(Path.Combine(_root, "snapshots", "overlayfs")).Select(folder => Path.Combine(folder, "work"))
        .Single(work => Directory.Exists(Path.Combine(work, "work")));

    private string MountLine() => File.ReadLines("/proc/self/mountinfo").Single(line => line.Split(' ')[4] == Target).Split(" - ")[0];

    private string Superblock() => File.ReadLines("/proc/self/mountinfo").Single(line => line.Split(' ')[4] == Target).Split(" - ")[1];

    private Task<ISnapshotter> OpenAsync(OverlayOptions options) =>
        SnapshotterFactory.OpenAsync("overlayfs", _root, "n", _db, new SnapshotterOptions { Overlay = options }, TimeProvider.System, s_ct);
}
