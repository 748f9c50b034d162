using ImageStore.Runtime.Mounts;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Mounts;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Tests.Mounts;

public sealed class RootfsTests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("rootfs");

    [Theory]
    [InlineData("fuse.sshfs")]
    [InlineData("fuse3.overlay")]
    public void Mount_OfAProgramsFilesystem_IsRefused(string type) => Assert.Equal(
        ErrorKind.Unsupported, Assert.Throws<ImageStoreException>(() => Rootfs.Mount([new Mount { Type = type, Source = "none" }], _work.FullName)).Kind);

    [Fact]
    public async Task Unmount_BelowALink_FindsWhatIsMounted()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Skip("needs root");
        }

        var real = Directory.CreateDirectory(Path.Combine(_work.FullName, "real/rootfs")).FullName;
        var link = Path.Combine(_work.FullName, "link");
        File.CreateSymbolicLink(link, Path.Combine(_work.FullName, "real"));
        Rootfs.Mount([new Mount { Type = "tmpfs", Source = "none" }], Path.Combine(link, "rootfs"));
        Assert.Equal([real], MountInfo.Below(real));
        await Rootfs.UnmountAsync(Path.Combine(link, "rootfs"), TimeProvider.System);
        Assert.Empty(MountInfo.Below(real));
    }

    public void Dispose()
    {
        _ = MountCalls.Unmount(Path.Combine(_work.FullName, "real/rootfs"), MountCalls.Detach);
        _work.Delete(recursive: true);
    }
}
