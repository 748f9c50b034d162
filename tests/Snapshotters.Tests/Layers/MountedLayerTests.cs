using System.Formats.Tar;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Layers that are unpacked by mounts alone, as containerd's clients have it done.</summary>
public sealed class MountedLayerTests : IDisposable
{
    private readonly string _work = Directory.CreateTempSubdirectory("mounted-").FullName;

    public MountedLayerTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    public void Dispose() => TreeRemover.RemoveTree(_work);

    [Fact]
    public void Apply_ToAnEmptyBind_WritesTheLayer()
    {
        var target = Folder("target");
        var applied = Apply([Bind(target)], ("a", "text"));
        Assert.Equal("text", File.ReadAllText(Path.Combine(target, "a")));
        Assert.Equal(1, applied.Entries);
    }

    [Fact]
    public void Apply_ToAnOverlay_WritesItsUpperDirectoryAndTakesFromBelow()
    {
        var (lower, upper) = (Folder("lower"), Folder("upper"));
        Directory.CreateDirectory(Path.Combine(lower, "d"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Apply([Overlay(lower, upper)], ("d/a", "text"), ("d/.wh.b", ""));
        Assert.Equal("text", File.ReadAllText(Path.Combine(upper, "d/a")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(upper, "d")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(lower, "d")));
    }

    [Fact]
    public void Apply_ToABindThatHasItsParentsFiles_MergesAndRemoves()
    {
        var target = Folder("target");
        File.WriteAllText(Path.Combine(target, "gone"), "old");
        File.WriteAllText(Path.Combine(target, "kept"), "old");
        Apply([Bind(target)], (".wh.gone", ""), ("new", "new"));
        Assert.Equal(["kept", "new"], Directory.EnumerateFileSystemEntries(target).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Apply_ToMountsThatDoNotSuit_IsRefused()
    {
        var (lower, upper) = (Folder("lower"), Folder("upper"));
        Assert.Equal(ErrorKind.Unsupported, Fails());
        Assert.Equal(ErrorKind.Unsupported, Fails(new Mount("tmpfs", "tmpfs", [])));
        Assert.Equal(ErrorKind.Unsupported, Fails(Bind(lower), Bind(upper)));
        Assert.Equal(ErrorKind.FailedPrecondition, Fails(new Mount("bind", lower, ["ro", "rbind"])));
        Assert.Equal(ErrorKind.FailedPrecondition, Fails(new Mount("overlay", "overlay", [$"lowerdir={lower}:{upper}"])));
        Assert.Equal(ErrorKind.NotFound, Fails(Bind(Path.Combine(_work, "absent"))));
        File.WriteAllText(Path.Combine(upper, "written"), "by somebody");
        Assert.Equal(ErrorKind.FailedPrecondition, Fails(Overlay(lower, upper)));
    }

    private ErrorKind Fails(params Mount[] mounts) => Assert.Throws<ImageStoreException>(() => Apply(mounts, ("a", "text"))).Kind;

    private AppliedLayer Apply(Mount[] mounts, params (string Name, string Text)[] files)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, text) in files)
            {
                writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)) });
            }
        }

        tar.Position = 0;
        return MountedLayer.Apply(tar, LayerCompression.None, mounts, () => new DirectoryLayerSnapshot("scratch", Folder("scratch"), new LayerFormat("trusted.overlay.opaque")), new LayerLimits(), null, CancellationToken.None);
    }

    private static Mount Bind(string directory) => new("bind", directory, ["rw", "rbind"]);

    private static Mount Overlay(string lower, string upper) => new("overlay", "overlay", ["workdir=/none", $"upperdir={upper}", $"lowerdir={lower}"]);

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_work, name)).FullName;
}
