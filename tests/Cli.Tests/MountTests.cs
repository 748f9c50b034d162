using System.Text.Json.Nodes;
using ImageStore.Cli.Tests.Support;

namespace ImageStore.Cli.Tests;

/// <summary><c>mount</c> with other owners, and what is left of one that is killed.</summary>
public sealed class MountTests : IAsyncDisposable
{
    private const string Users = "0:100000:65536";
    private const string Groups = "0:200000:65536";

    private readonly Workbench _bench = new();

    public MountTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    private string Mounted => Directory.CreateDirectory(_bench.In("mnt")).FullName;

    public async ValueTask DisposeAsync()
    {
        await _bench.RunAsync("unmount", Mounted);
        await _bench.DisposeAsync();
    }

    [Theory]
    [InlineData("overlayfs", false)]
    [InlineData("overlayfs", true)]
    [InlineData("native", false)]
    [InlineData("native", true)]
    public async Task Mount_WithMaps_ShowsOtherOwnersAndUnmountLeavesNothing(string snapshotter, bool write)
    {
        var image = await _bench.StoredAsync();
        await _bench.OkAsync(["mount", "--snapshotter", snapshotter, "--uidmap", Users, "--gidmap", Groups, .. write ? ["--rw"] : Array.Empty<string>(), image.Reference, Mounted]);

        var owner = await Shell.RunAsync("stat", ["-c", "%u:%g", Path.Combine(Mounted, TestImage.FileName)]);
        Assert.Equal("100000:200000\n", owner.Output);
        var shown = JsonNode.Parse(await _bench.OkAsync("snapshots", "ls", "--snapshotter", snapshotter, "--format", "json"))!.AsArray()
            .Single(one => one!["kind"]!.ToString() != "Committed")!;
        Assert.Equal(Users, shown["labels"]!["containerd.io/snapshot/uidmapping"]!.ToString());
        Assert.Equal(Groups, shown["labels"]!["containerd.io/snapshot/gidmapping"]!.ToString());

        await _bench.OkAsync("unmount", "--snapshotter", snapshotter, Mounted);
        Assert.DoesNotContain(_bench.Root, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--uidmap", "0:1")]
    [InlineData("--uidmap", Users)]
    [InlineData("--uidmap", Users, "--uidmap", "5:0:1", "--gidmap", Groups)]
    public async Task Mount_WithMapsThatAreNone_IsWrongUsageAndMountsNothing(params string[] maps)
    {
        var image = await _bench.StoredAsync();
        var result = await _bench.RunAsync(["mount", .. maps, image.Reference, Mounted]);

        Assert.Equal(2, result.ExitCode);
        Assert.Equal(2, result.Error.TrimEnd('\n').Split('\n').Length);
        Assert.DoesNotContain("mount-", await _bench.OkAsync("snapshots", "ls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mount_WithMapsKilledAtAnyTime_LeavesNoOtherMountAndGoesOn()
    {
        var image = await _bench.StoredAsync();
        await _bench.OkAsync("unpack", "--snapshotter", "overlayfs", image.Reference);
        string[] mount = ["--root", _bench.Root, "mount", "--rw", "--snapshotter", "overlayfs", "--uidmap", Users, "--gidmap", Groups, image.Reference, Mounted];
        for (var delay = 0; delay < 20; delay++)
        {
            using var process = Shell.Start(Workbench.Binary, mount);
            await Task.Delay(delay * 10);
            process.Kill();
            await Shell.EndAsync(process);

            // What tries overlayfs is swept by the next opening.
            Assert.DoesNotContain(
                (await File.ReadAllLinesAsync("/proc/self/mountinfo")).Select(line => line.Split(' ')[4]),
                place => place.StartsWith(_bench.Root, StringComparison.Ordinal) && !place.Contains("/removing-probe-", StringComparison.Ordinal));
            await _bench.RunAsync("unmount", "--snapshotter", "overlayfs", Mounted);
        }

        await _bench.OkAsync(mount[2..]);
        Assert.Equal(
            "100000\n", (await Shell.RunAsync("stat", ["-c", "%u", Path.Combine(Mounted, TestImage.FileName)])).Output);
        await _bench.OkAsync("unmount", "--snapshotter", "overlayfs", Mounted);
        Assert.DoesNotContain(_bench.Root, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.DoesNotContain("mount-", await _bench.OkAsync("snapshots", "ls", "--snapshotter", "overlayfs"), StringComparison.Ordinal);
    }
}
