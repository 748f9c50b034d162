using System.Diagnostics;
using System.Formats.Tar;
using System.Text.Json.Nodes;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Bundles;
using ImageStore.Engine.Pull;
using ImageStore.Engine.Tests.Support;
using ImageStore.Runtime.Options;
using ImageStore.Runtime.Users;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests.Bundles;

/// <summary>What a bundle's directory holds, and that nothing is left of one that fails.</summary>
public sealed class BundleTests : PullTest
{
    private const UnixFileMode Mode0700 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Mode0755 = (UnixFileMode)0x1ED;

    private string Box => In("box");

    private string Rootfs => Path.Combine(Box, "rootfs");

    [Fact]
    public async Task Bundle_OfLayers_IsTheTreeThatTheyShow()
    {
        await using var engine = await StoredAsync(
            Tar(
                Entry(TarEntryType.Directory, "data/", 0x1C0, 5, 6), Entry(TarEntryType.RegularFile, "data/gone"), Entry(TarEntryType.RegularFile, "data/kept", 0x9ED),
                Entry(TarEntryType.Directory, "opaque/"), Entry(TarEntryType.RegularFile, "opaque/old"), Entry(TarEntryType.RegularFile, "turns")),
            Tar(
                Entry(TarEntryType.RegularFile, "data/.wh.gone"), Entry(TarEntryType.Directory, "opaque/"), Entry(TarEntryType.RegularFile, "opaque/.wh..wh..opq"),
                Entry(TarEntryType.RegularFile, "opaque/new"), Link("data/linked", "data/kept"), Entry(TarEntryType.Directory, "turns/"), Entry(TarEntryType.RegularFile, "turns/in")));
        var made = await BundleAsync(engine);

        Assert.Equal(
            ["data", "data/kept", "data/linked", "opaque", "opaque/new", "turns", "turns/in"],
            Directory.EnumerateFileSystemEntries(Rootfs, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Rootfs, path)).Order(StringComparer.Ordinal));
        Assert.Equal((UnixFileMode)0x1C0, File.GetUnixFileMode(Path.Combine(Rootfs, "data")));
        Assert.Equal((UnixFileMode)0x9ED, File.GetUnixFileMode(Path.Combine(Rootfs, "data/linked")));
        Assert.Equal(["config.json", "rootfs"], Directory.EnumerateFileSystemEntries(Box).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
        Assert.Equal(Mode0700, File.GetUnixFileMode(Box));
        Assert.Equal((Box, engine.FindImage(Reference()).Target.Digest), (made.Directory, made.Manifest));
        Assert.Empty(engine.Leases.List());
        Assert.Empty(await Snapshots(engine));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bundle_IntoWhatIsSomebodyElses_OrALink_ChangesNothing(bool isLink)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        await using var engine = await StoredAsync(Tar(Entry(TarEntryType.RegularFile, "file")));
        var other = Directory.CreateDirectory(In("other")).FullName;
        if (isLink)
        {
            Directory.CreateSymbolicLink(Box, other);
        }
        else
        {
            Directory.CreateDirectory(Box);
            Process.Start("chown", ["1234", Box]).WaitForExit();
        }

        var failure = await FailsAsync(engine, isLink ? ErrorKind.InvalidArgument : ErrorKind.PermissionDenied);

        Assert.Contains(Box, failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Box));
    }

    [Fact]
    public async Task Bundle_OfAnImageThatIsNotThere_SaysHowToPull()
    {
        await using var engine = await OpenAsync();
        var failure = await FailsAsync(engine, ErrorKind.NotFound);
        Assert.Contains($"imagestore pull {Reference()}", failure.Remedy, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Box));
    }

    [Fact]
    public async Task Bundle_IntoWhatIsNotEmpty_ChangesNothing()
    {
        await using var engine = await StoredAsync(Tar(Entry(TarEntryType.RegularFile, "file")));
        Directory.CreateDirectory(Box, Mode0755);
        await File.WriteAllTextAsync(Path.Combine(Box, "mine"), "kept", Ct);
        await FailsAsync(engine, ErrorKind.AlreadyExists);
        Assert.Equal("kept", await File.ReadAllTextAsync(Path.Combine(Box, "mine"), Ct));
        Assert.Equal(Mode0755, File.GetUnixFileMode(Box));

        Directory.Delete(Box, recursive: true);
        await File.WriteAllTextAsync(Box, "a file", Ct);
        await FailsAsync(engine, ErrorKind.InvalidArgument);
        Assert.Equal("a file", await File.ReadAllTextAsync(Box, Ct));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bundle_OfADamagedLayer_LeavesWhatWasThereBefore(bool isThere)
    {
        var tar = Tar(Entry(TarEntryType.RegularFile, "file"));
        await using var engine = await StoredAsync([tar], [Digest.Compute([1])]);
        if (isThere)
        {
            Directory.CreateDirectory(Box, Mode0755);
        }

        var failure = await FailsAsync(engine, ErrorKind.CorruptData);
        Assert.Contains("diff ID", failure.Message, StringComparison.Ordinal);
        AssertAsBefore(isThere);
        Assert.Empty(engine.Leases.List());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bundle_ForAUserThatTheImageDoesNotHave_LeavesNothing(bool mount)
    {
        await using var engine = await StoredAsync(Tar(Entry(TarEntryType.RegularFile, "file")));
        var failure = await FailsAsync(engine, ErrorKind.NotFound, new ContainerOptions { User = UserText.Parse("nosuch") }, mount);
        Assert.Contains("'nosuch'", failure.Message, StringComparison.Ordinal);
        AssertAsBefore(isThere: false);
        Assert.DoesNotContain(Box, await File.ReadAllTextAsync("/proc/self/mountinfo", Ct), StringComparison.Ordinal);
        Assert.All(await Snapshots(engine), snapshot => Assert.Equal(SnapshotKind.Committed, snapshot.Kind));
    }

    [Fact]
    public async Task Bundle_WithOptionsThatCannotBe_IsRefusedBeforeAnythingIsUnpacked()
    {
        await using var engine = await StoredAsync([Tar(Entry(TarEntryType.RegularFile, "file"))], [Digest.Compute([1])]);

        // The damaged layer would be another error.
        await FailsAsync(engine, ErrorKind.InvalidArgument, new ContainerOptions { Hostname = "not a name" });
        AssertAsBefore(isThere: false);
    }

    [Fact]
    public async Task Bundle_Cancelled_LeavesNothing()
    {
        await using var engine = await StoredAsync(ImageBuilder.Tar("large", 200 << 20));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var progress = new TransferProgress();
        var running = engine.BundleAsync(Request(new ContainerOptions(), mount: false), progress, stop.Token);
        while (!progress.Blobs.Any(blob => blob.Unpacked > 0))
        {
            Assert.False(running.IsCompleted);
            await Task.Yield();
        }

        Assert.True(Directory.Exists(Rootfs));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        AssertAsBefore(isThere: false);
        Assert.Empty(engine.Leases.List());
    }

    [Fact]
    public async Task Bundle_OfASnapshot_IsMountedUntilItIsUnmounted()
    {
        await using var engine = await StoredAsync(Tar(Entry(TarEntryType.RegularFile, "file")));
        var made = await engine.BundleAsync(Request(new ContainerOptions(), mount: true), new TransferProgress(), Ct);
        try
        {
            Assert.NotNull(made.Snapshotter);
            Assert.True(MountPoint.Is(Rootfs));
            Assert.True(File.Exists(Path.Combine(Rootfs, "file")));
            await File.WriteAllTextAsync(Path.Combine(Rootfs, "new"), "written", Ct);
        }
        finally
        {
            await engine.UnmountAsync(Rootfs, made.Snapshotter, Ct);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(Rootfs));
    }

    [Fact]
    public async Task Bundle_OfAnIndex_TakesThePlatformThatIsAsked()
    {
        var (own, other) = (Tar(Entry(TarEntryType.RegularFile, "own")), Tar(Entry(TarEntryType.RegularFile, "other")));
        var foreign = Platform.Parse(Platform.Current.Architecture == "arm64" ? "linux/amd64" : "linux/arm64");
        Registry.AddIndex("latest", (Manifest("a", Platform.Current, own), Platform.Current.ToString()), (Manifest("b", foreign, other), foreign.ToString()));
        await using var engine = await OpenAsync();
        await engine.PullAsync(new PullRequest { Reference = Reference(), AllPlatforms = true, Unpack = false }, new TransferProgress(), Ct);
        await engine.BundleAsync(Request(new ContainerOptions(), mount: false) with { Platform = foreign }, new TransferProgress(), Ct);
        Assert.True(File.Exists(Path.Combine(Rootfs, "other")));

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => engine.BundleAsync(
            Request(new ContainerOptions(), mount: false) with { Directory = In("box2"), Platform = Platform.Parse("linux/s390x") }, new TransferProgress(), Ct));
        Assert.Equal(ErrorKind.NotFound, failure.Kind);
        Assert.False(Directory.Exists(In("box2")));
    }

    [Fact]
    public async Task Bundle_InADirectoryThatIsNotThere_NamesThatOne()
    {
        await using var engine = await StoredAsync(Tar(Entry(TarEntryType.RegularFile, "file")));
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => engine.BundleAsync(
            Request(new ContainerOptions(), mount: false) with { Directory = In("no/box") }, new TransferProgress(), Ct));
        Assert.Equal(ErrorKind.NotFound, failure.Kind);
        Assert.Contains(In("no"), failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(In("no")));
    }

    private static PaxTarEntry Entry(TarEntryType type, string name, int mode = 0x1ED, int uid = 0, int gid = 0) =>
        new(type, name) { Mode = (UnixFileMode)mode, Uid = uid, Gid = gid };

    private static PaxTarEntry Link(string name, string target) => new(TarEntryType.HardLink, name) { LinkName = target, Mode = (UnixFileMode)0x9ED };

    private static byte[] Tar(params PaxTarEntry[] entries)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            Array.ForEach(entries, tar.WriteEntry);
        }

        return bytes.ToArray();
    }

    private Descriptor Manifest(string tag, Platform platform, params byte[][] tars) =>
        Manifest(tag, platform, tars, [.. tars.Select(tar => Digest.Compute(tar))]);

    private Descriptor Manifest(string tag, Platform platform, byte[][] tars, Digest[] diffIds)
    {
        var config = new JsonObject
        {
            ["architecture"] = platform.Architecture,
            ["os"] = "linux",
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray("/bin/app") },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. diffIds.Select(id => (JsonNode)id.ToString())]) },
        };
        return Registry.AddManifest(ImageBuilder.Repository, tag, ImageBuilder.Bytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = ImageBuilder.Json(Registry.AddBlob(ImageBuilder.Repository, ImageBuilder.Bytes(config), MediaTypes.OciConfig)),
            ["layers"] = new JsonArray([.. tars.Select(tar => ImageBuilder.Json(Registry.AddBlob(ImageBuilder.Repository, tar, MediaTypes.OciLayer)))]),
        }));
    }

    private Task<StoreEngine> StoredAsync(params byte[][] tars) => StoredAsync(tars, [.. tars.Select(tar => Digest.Compute(tar))]);

    private async Task<StoreEngine> StoredAsync(byte[][] tars, Digest[] diffIds)
    {
        Manifest("latest", Platform.Current, tars, diffIds);
        var engine = await OpenAsync();
        await engine.PullAsync(new PullRequest { Reference = Reference(), Unpack = false }, new TransferProgress(), Ct);
        return engine;
    }

    private BundleRequest Request(ContainerOptions options, bool mount) =>
        new() { Reference = Reference(), Directory = Box, Options = options, Mount = mount };

    private Task<BundleResult> BundleAsync(StoreEngine engine) =>
        engine.BundleAsync(Request(new ContainerOptions(), mount: false), new TransferProgress(), Ct);

    private async Task<ImageStoreException> FailsAsync(StoreEngine engine, ErrorKind kind, ContainerOptions? options = null, bool mount = false)
    {
        var failure = await Assert.ThrowsAsync<ImageStoreException>(
            () => engine.BundleAsync(Request(options ?? new ContainerOptions(), mount), new TransferProgress(), Ct));
        Assert.Equal(kind, failure.Kind);
        Assert.False(string.IsNullOrWhiteSpace(failure.Remedy), $"'{failure.Message}' says not what to do");
        return failure;
    }

    private void AssertAsBefore(bool isThere)
    {
        Assert.Equal(isThere, Directory.Exists(Box));
        if (isThere)
        {
            Assert.Empty(Directory.EnumerateFileSystemEntries(Box));
            Assert.Equal(Mode0755, File.GetUnixFileMode(Box));
        }
    }
}
