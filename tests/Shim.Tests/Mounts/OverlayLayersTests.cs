using ImageStore.Shim.Interop;
using ImageStore.Shim.Mounts;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Tests.Mounts;

public sealed class OverlayLayersTests : IDisposable
{
    private const int Layers = 60;
    private const int NoSuchCall = 38;

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("overlay");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mount_OfMoreThanAPage_ShowsAllLayers(bool oneByOne)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Skip("needs root");
        }

        var lowers = Enumerable.Range(0, Layers).Select(Lower).ToList();
        var target = Directory.CreateDirectory(In("target")).FullName;
        var options = MountOptions.Parse([$"lowerdir={string.Join(':', lowers)}"]);
        Assert.True(options.Data[0].Length > 4096);
        var here = Environment.CurrentDirectory;
        var error = oneByOne ? OverlayLayers.MountOneByOne("overlay", target, options) : OverlayLayers.MountBelow("overlay", target, options);
        if (oneByOne && (error == NoSuchCall || (error == Errno.Invalid && Environment.OSVersion.Version < new Version(6, 5))))
        {
            Assert.Skip("this kernel takes no layers one by one");
        }

        Assert.Equal(0, error);
        Assert.Equal(here, Environment.CurrentDirectory);
        Assert.Equal(Layers, Directory.GetFiles(target).Length);
    }

    [Fact]
    public void Mount_OfMoreBytesThanFit_IsRefused()
    {
        // Fewer characters than a page has bytes, and more bytes.
        var lowers = Enumerable.Range(0, 20).Select(number => $"/no/{number}{new string('ä', 150)}");
        var options = MountOptions.Parse([$"lowerdir={string.Join(':', lowers)}"]);
        Assert.True(options.Data[0].Length < 4096);
        Assert.False(new MountData(options.Data).Fits);
        Assert.Equal(
            ErrorKind.LimitExceeded, Assert.Throws<ImageStoreException>(() => OverlayLayers.MountBelow("overlay", In("target"), options)).Kind);
    }

    public void Dispose()
    {
        _ = MountCalls.Unmount(In("target"), MountCalls.Detach);
        _work.Delete(recursive: true);
    }

    // Their whole names do not fit into a page, those below their folder do.
    private string Lower(int number)
    {
        var folder = Directory.CreateDirectory(In($"{number:00}-{new string('x', 50)}")).FullName;
        File.WriteAllText(Path.Combine(folder, $"file{number}"), string.Empty);
        return folder;
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
