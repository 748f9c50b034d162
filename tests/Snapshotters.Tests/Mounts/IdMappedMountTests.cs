using System.Diagnostics;
using System.Globalization;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using ImageStore.Store.Metadata;

namespace ImageStore.Snapshotters.Tests.Mounts;

/// <summary>Mounts whose files have other owners than on disk.</summary>
public sealed class IdMappedMountTests : IAsyncLifetime
{
    private const uint Users = 100_000;
    private const uint Groups = 200_000;
    private static readonly CancellationToken s_ct = CancellationToken.None;
    private static readonly IdMapPair s_maps = new(IdMap.Parse($"0:{Users}:65536"), IdMap.Parse($"0:{Groups}:65536"));
    private static readonly Dictionary<string, string> s_none = [];
    private readonly string _root = Directory.CreateTempSubdirectory("mapped-").FullName;
    private readonly Dictionary<string, string> _labels = new(s_maps.ToLabels());
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

    [Theory]
    [InlineData("overlayfs", 1)]
    [InlineData("overlayfs", 3)]
    [InlineData("native", 2)]
    public async Task View_OfLayers_ShowsMappedOwnersAndLeavesTheDisk(string kind, int layers)
    {
        var snapshotter = await OpenAsync(kind);
        var top = await LayersAsync(snapshotter, layers);
        Mounter.MountAll(await snapshotter.ViewAsync("view", top, _labels, s_ct), Target);

        Assert.Equal((Users, Groups), Owner(Target, "."));
        Assert.Equal((Users + 5, Groups + 6), Owner(Target, "file"));
        Assert.Equal((65534U, 65534U), Owner(Target, "outside"));
        Assert.Equal(Status(Target, "file").Inode, Status(Target, "linked").Inode);
        Assert.Equal(0x9EDU, (uint)Status(Target, "setuid").Mode & 0xFFF);
        Assert.Contains("cap_net_raw", Run("getcap", Path.Combine(Target, "capable")).Output, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(Target, "file"), "x"));
        Assert.Equal((5U, 6U), OnDisk(kind, "file"));
        await Mounter.UnmountAllAsync(Target, detach: false, s_ct);
        Assert.DoesNotContain(_root, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("overlayfs", 0)]
    [InlineData("overlayfs", 1)]
    [InlineData("overlayfs", 3)]
    [InlineData("native", 1)]
    public async Task Active_WrittenByTheContainersRoot_HasTheImagesOwnersWhenCommitted(string kind, int layers)
    {
        var snapshotter = await OpenAsync(kind);
        var top = layers == 0 ? null : await LayersAsync(snapshotter, layers);
        var mounts = await snapshotter.PrepareAsync("active", top, _labels, s_ct);
        Mounter.MountAll(mounts, Target);

        AsContainer("touch new; mkdir dir; chown 100007:200008 new; ln new other");
        if (layers > 0)
        {
            AsContainer("echo more >> file; chmod 4711 setuid");
            Assert.Equal((Users + 5, Groups + 6), Owner(Target, "file"));
            Assert.Contains("cap_net_raw", Run("getcap", Path.Combine(Target, "capable")).Output, StringComparison.Ordinal);
        }

        Assert.Equal((Users + 7, Groups + 8), Owner(Target, "new"));
        Assert.Equal((Users, Groups), Owner(Target, "dir"));
        await Mounter.UnmountAllAsync(Target, detach: false, s_ct);
        var lower = top is null ? [] : await snapshotter.ViewAsync("lower", top, s_none, s_ct);
        var changed = LayerDiffer.List(lower, await snapshotter.MountsAsync("active", s_ct), new LayerLimits(), s_ct);
        Assert.Equal(
            layers == 0 ? ["/dir", "/new", "/other"]
                // A copy that overlayfs makes of a file has no other name; natively it is the same file still.
                : kind == "native" ? ["/dir", "/file", "/linked", "/new", "/other", "/setuid"] : ["/dir", "/file", "/new", "/other", "/setuid"],
            changed.Select(change => change.Path));

        await snapshotter.CommitAsync("done", "active", s_none, s_ct);
        Mounter.MountAll(await snapshotter.ViewAsync("plain", "done", s_none, s_ct), Target);
        Assert.Equal((7U, 8U), Owner(Target, "new"));
        Assert.Equal((0U, 0U), Owner(Target, "dir"));
        Assert.Equal(Status(Target, "new").Inode, Status(Target, "other").Inode);
        if (layers > 0)
        {
            Assert.Equal((5U, 6U), Owner(Target, "file"));
            Assert.Equal("textmore\n", File.ReadAllText(Path.Combine(Target, "file")));
        }
    }

    [Fact]
    public async Task Active_OfManyLayers_IsMapped()
    {
        var snapshotter = await OpenAsync("overlayfs");
        var top = await LayersAsync(snapshotter, 130);

        Mounter.MountAll(await snapshotter.PrepareAsync("active", top, _labels, s_ct), Target);

        AsContainer("touch new");
        Assert.Equal((Users + 5, Groups + 6), Owner(Target, "file"));
        Assert.Equal(130, Directory.GetFiles(Target, "layer*").Length);
    }

    [Theory]
    [InlineData("overlayfs")]
    [InlineData("native")]
    public async Task PrepareAndView_MapInLabelsIsMalformed_IsInvalidArgument(string kind)
    {
        var snapshotter = await OpenAsync(kind);
        _labels[IdMapPair.UserLabel] = "0:1";

        await Assert.ThrowsAsync<ImageStoreException>(() => snapshotter.PrepareAsync("active", null, _labels, s_ct));
        await Assert.ThrowsAsync<ImageStoreException>(() => snapshotter.ViewAsync("view", null, _labels, s_ct));

        Assert.Empty(await snapshotter.WalkAsync(s_ct));
    }

    [Fact]
    public async Task MountAll_FilesystemThatMapsNothing_NamesItAndTheKernel()
    {
        var source = Directory.CreateDirectory(Path.Combine(_root, "source")).FullName;
        Mounter.MountAll([new Mount("ramfs", "none", [])], source);
        try
        {
            var refused = Assert.Throws<ImageStoreException>(() => Mounter.MountAll([s_maps.Onto(new Mount("bind", source, ["rbind", "ro"]))], Target));

            Assert.Equal(ErrorKind.Unsupported, refused.Kind);
            Assert.Contains("ramfs", refused.Message, StringComparison.Ordinal);
            Assert.Contains("Linux " + File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), refused.Message, StringComparison.Ordinal);
            Assert.False(MountPoint.Is(Target));
        }
        finally
        {
            await Mounter.UnmountAllAsync(source, detach: true, s_ct);
        }
    }

    [Fact]
    public void Open_OfAUserNamespace_LeavesNoProcess()
    {
        for (var i = 0; i < 20; i++)
        {
            UserNamespace.Open(s_maps).Dispose();
        }

        // Other tests of this process may have one of theirs at this moment.
        for (var i = 0; i < 100 && QuietChildren().Count > 0; i++)
        {
            Thread.Sleep(100);
        }

        Assert.Empty(QuietChildren());
    }

    /// <summary>The children of this process, dead ones too, that send no signal when they end, as only those of a namespace do.</summary>
    private static List<string> QuietChildren()
    {
        const int Parent = 1;
        const int ExitSignal = 35;
        var quiet = new List<string>();
        foreach (var process in Directory.GetDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                // What follows the name, which may hold anything.
                var status = File.ReadAllText(Path.Combine(process, "stat"));
                var fields = status[(status.LastIndexOf(')') + 2)..].Split(' ');
                if (fields[Parent] == Environment.ProcessId.ToString(CultureInfo.InvariantCulture) && fields[ExitSignal] == "0")
                {
                    quiet.Add(status);
                }
            }
            catch (IOException)
            {
                // It ended in between.
            }
        }

        return quiet;
    }

    private static (uint Uid, uint Gid) Owner(string directory, string name)
    {
        var status = Status(directory, name);
        return (status.Uid, status.Gid);
    }

    private static FileStatus Status(string directory, string name)
    {
        Assert.Equal(0, FileStatus.Read(Path.Combine(directory, name), out var status));
        return status;
    }

    private static (int Code, string Output) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    private (uint Uid, uint Gid) OnDisk(string kind, string name) =>
        Owner(Directory.GetDirectories(Path.Combine(_root, "snapshots", kind)).Select(folder => Path.Combine(folder, "fs"))
            .First(folder => File.Exists(Path.Combine(folder, name))), name);

    // As the container's root: in a user namespace of its own it could change owners, which here a capability lets it do.
    private void AsContainer(string script)
    {
        var done = Run(
            "setpriv", "--reuid", $"{Users}", "--regid", $"{Groups}", "--clear-groups", "--inh-caps", "+chown,+dac_override,+fowner,+fsetid",
            "--ambient-caps", "+chown,+dac_override,+fowner,+fsetid", "sh", "-ec", $"cd {Target}; {script}");
        Assert.True(done.Code == 0, done.Output);
    }

    private static async Task<string> LayersAsync(ISnapshotter snapshotter, int count)
    {
        string? parent = null;
        for (var i = 0; i < count; i++)
        {
            var layer = await snapshotter.PrepareLayerAsync($"key{i}", s_none, s_ct);
            var directory = Assert.IsType<DirectoryLayerSnapshot>(layer).Directory;
            await File.WriteAllTextAsync(Path.Combine(directory, $"layer{i}"), "x");
            if (i == 0)
            {
                Fill(directory);
            }

            await snapshotter.CommitLayerAsync($"layer{i}", $"key{i}", parent, Applied(), s_none, s_ct);
            parent = $"layer{i}";
        }

        return parent!;
    }

    private static AppliedLayer Applied() => new()
    {
        Entries = 1, UnpackedBytes = 1, DiffId = Store.Oci.Digest.Compute("layer"u8), ImpliedDirectories = [], PendingLinks = [],
    };

    private static void Fill(string directory)
    {
        foreach (var name in new[] { "file", "setuid", "capable", "outside" })
        {
            File.WriteAllText(Path.Combine(directory, name), "text");
        }

        using var root = OpenAt.HostDirectory(directory);
        Assert.Equal(0, Run("ln", Path.Combine(directory, "file"), Path.Combine(directory, "linked")).Code);
        Own(root, "file\0"u8, 5, 6);
        Own(root, "outside\0"u8, 70_000, 70_000);
        File.SetUnixFileMode(Path.Combine(directory, "setuid"), (UnixFileMode)0x9ED);
        Assert.Equal(0, Run("setcap", "cap_net_raw+ep", Path.Combine(directory, "capable")).Code);
    }

    private static void Own(Microsoft.Win32.SafeHandles.SafeFileHandle root, ReadOnlySpan<byte> name, uint uid, uint gid)
    {
        using var inode = OpenAt.Inode(root, name)!;
        InodeChange.Own(inode, uid, gid, "/");
    }

    private Task<ISnapshotter> OpenAsync(string kind) => SnapshotterFactory.OpenAsync(kind, _root, "n", _db, TimeProvider.System, s_ct);
}
