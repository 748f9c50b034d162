using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Snapshots;

public sealed class MounterTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("mounter-").FullName;

    public MounterTests()
    {
        if (Environment.UserName != "root")
        {
            Assert.Skip("Mounts need root.");
        }
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void MountAll_TargetAbsentOrFile_IsRefused()
    {
        var file = Path.Combine(_root, "file");
        File.WriteAllText(file, "x");

        Assert.Equal(ErrorKind.NotFound, Fails(() => Mounter.MountAll([Bind()], Path.Combine(_root, "absent"))));
        Assert.Equal(ErrorKind.InvalidArgument, Fails(() => Mounter.MountAll([Bind()], file)));
    }

    [Fact]
    public async Task MountAll_AlreadyMounted_IsRefusedUntilUnmounted()
    {
        var target = Make("target");
        Mounter.MountAll([Bind(), Bind()], target);

        Assert.Equal(ErrorKind.FailedPrecondition, Fails(() => Mounter.MountAll([Bind()], target)));
        await Mounter.UnmountAllAsync(target, detach: false, CancellationToken.None);
        Assert.False(MountPoint.Is(target));
        var again = await Assert.ThrowsAsync<ImageStoreException>(
            () => Mounter.UnmountAsync(target, detach: false, CancellationToken.None));
        Assert.Equal(ErrorKind.FailedPrecondition, again.Kind);
    }

    [Fact]
    public void MountAll_SecondFails_UndoesFirst()
    {
        var target = Make("target");

        Assert.Equal(
            ErrorKind.Unsupported,
            Fails(() => Mounter.MountAll([Bind(), new Mount("nosuchfs", "none", [])], target)));
        Assert.False(MountPoint.Is(target));
    }

    [Fact]
    public async Task Unmount_Busy_SaysSoAndDetachHelps()
    {
        var target = Make("target");
        Mounter.MountAll([Bind()], target);
        await using (File.Create(Path.Combine(target, "open")))
        {
            var error = await Assert.ThrowsAsync<ImageStoreException>(
                () => Mounter.UnmountAsync(target, detach: false, CancellationToken.None));
            Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
            await Mounter.UnmountAsync(target, detach: true, CancellationToken.None);
        }

        Assert.False(MountPoint.Is(target));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LongOverlayMount_ManyLayers_ShowsAll(bool layerByLayer)
    {
        const int layers = 120;
        var target = Make("target");
        var lowers = Enumerable.Range(0, layers).Select(i =>
        {
            var lower = Make(Path.Combine("layers-in-a-folder-with-a-long-name-to-fill-the-page", $"l{i}"));
            File.WriteAllText(Path.Combine(lower, "f" + i), "x");
            return lower;
        });
        var options = MountOptions.Parse(["ro", "lowerdir=" + string.Join(':', lowers)]);

        var errno = layerByLayer
            ? LongOverlayMount.MountLayerByLayer("overlay", target, options)
            : LongOverlayMount.MountRelative("overlay", target, options);
        if (layerByLayer && errno == Errno.EINVAL)
        {
            Assert.Skip("The kernel is older than 6.5.");
        }

        try
        {
            Assert.Equal(0, errno);
            Assert.Equal(layers, Directory.GetFiles(target).Length);
        }
        finally
        {
            await Mounter.UnmountAllAsync(target, detach: true, CancellationToken.None);
        }
    }

    private static ErrorKind Fails(Action action) => Assert.Throws<ImageStoreException>(action).Kind;

    private Mount Bind() => new("bind", Make("source"), ["rbind", "rw"]);

    private string Make(string name) => Directory.CreateDirectory(Path.Combine(_root, name)).FullName;
}
