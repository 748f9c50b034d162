using System.Diagnostics;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Tests.Interop;

public sealed class KernelErrorTests
{
    [Theory]
    [InlineData(1, ErrorKind.PermissionDenied)]
    [InlineData(2, ErrorKind.NotFound)]
    [InlineData(5, ErrorKind.Unavailable)]
    [InlineData(13, ErrorKind.PermissionDenied)]
    [InlineData(22, ErrorKind.Internal)]
    [InlineData(24, ErrorKind.Unavailable)]
    [InlineData(27, ErrorKind.LimitExceeded)]
    [InlineData(28, ErrorKind.NoSpace)]
    [InlineData(30, ErrorKind.FailedPrecondition)]
    [InlineData(31, ErrorKind.LimitExceeded)]
    [InlineData(36, ErrorKind.CorruptData)]
    [InlineData(40, ErrorKind.CorruptData)]
    [InlineData(122, ErrorKind.NoSpace)]
    public void Of_Errno_HasItsKind(int errno, ErrorKind kind) => Assert.Equal(kind, KernelError.Of(errno, "try").Kind);

    [Theory]
    [InlineData("size=64k", "rw", ErrorKind.NoSpace)]
    [InlineData("size=1m", "ro", ErrorKind.FailedPrecondition)]
    public void Apply_DiskThatRefuses_SaysWhy(string size, string access, ErrorKind kind)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        var target = Directory.CreateTempSubdirectory("refuse-").FullName;
        try
        {
            Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", $"{size},{access}", "tmpfs", target) == 0, "needs tmpfs");
            try
            {
                var tar = Layers.TarBytes.Of(Layers.TarBytes.File("f", new string('x', 1 << 18)));

                var error = Assert.Throws<ImageStoreException>(() => LayerApplier.Apply(
                    new MemoryStream(tar), LayerCompression.None, target, new LayerFormat("trusted.overlay.opaque"),
                    new LayerLimits(), null, CancellationToken.None));

                Assert.Equal(kind, error.Kind);
                Assert.NotNull(error.Remedy);
            }
            finally
            {
                Run("umount", target);
            }
        }
        finally
        {
            Directory.Delete(target);
        }
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
