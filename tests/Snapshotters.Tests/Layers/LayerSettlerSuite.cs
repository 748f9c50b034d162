using System.Formats.Tar;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>What a layer takes from the layers below it, on overlayfs and in a whole tree alike.</summary>
public abstract class LayerSettlerSuite : IDisposable
{
    private const UnixFileMode Odd = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.SetGroup;
    private static readonly LayerFormat s_format = new("trusted.overlay.opaque");
    private static readonly DateTimeOffset s_time = new(2001, 2, 3, 4, 5, 6, TimeSpan.Zero);

    private readonly string _work = Directory.CreateTempSubdirectory("settle-").FullName;

    private readonly LayerBench _bench;

    protected LayerSettlerSuite(LayerBench bench)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _bench = bench;
    }

    public void Dispose()
    {
        _bench.Dispose();
        TreeRemover.RemoveTree(_work);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Settle_HardLinkIntoLowerLayer_CopiesItUpAndLinks()
    {
        var lower = Layer("lower", [], Folder("d"), File("d/target", "text", Odd));
        var upper = Layer("upper", [lower], Folder("e"), Link("e/link", "d/target"), Link("e/second", "e/link"));

        Assert.Equal("text", System.IO.File.ReadAllText(Path.Combine(upper, "e/link")));
        Assert.Equal(Odd, System.IO.File.GetUnixFileMode(Path.Combine(upper, "e/link")));
        Assert.Equal(s_time, System.IO.File.GetLastWriteTimeUtc(Path.Combine(upper, "e/link")));
        Assert.Equal(s_time, Directory.GetLastWriteTimeUtc(Path.Combine(upper, "e")));
        Assert.Equal(s_time, Directory.GetLastWriteTimeUtc(Path.Combine(upper, "d")));

        // All three names are one file.
        System.IO.File.WriteAllText(Path.Combine(upper, "d/target"), "changed");
        Assert.Equal("changed", System.IO.File.ReadAllText(Path.Combine(upper, "e/link")));
        Assert.Equal("changed", System.IO.File.ReadAllText(Path.Combine(upper, "e/second")));
        Assert.Equal("text", System.IO.File.ReadAllText(Path.Combine(lower, "d/target")));
    }

    [Fact]
    public void Settle_HardLinkToWhatThisLayerRemoved_CorruptData()
    {
        var lower = Layer("lower", [], File("target", "text"));

        Assert.Equal(ErrorKind.CorruptData, Fails([lower], File(".wh.target", ""), Link("link", "target")));
    }

    [Fact]
    public void Settle_LinkTargetRemovedAfterTheLink_LinkKeepsTheFile()
    {
        var lower = Layer("lower", [], File("target", "old"), File("other", "old"));
        var upper = Layer(
            "upper", [lower], Link("l1", "target"), Link("l2", "target"), File(".wh.target", ""),
            Link("m", "other"), File("other", "new"));
        var tree = Directory.CreateDirectory(Path.Combine(_work, "tree")).FullName;
        LayerMerger.MergeOnto(lower, tree, s_format, CancellationToken.None);
        LayerMerger.MergeOnto(upper, tree, s_format, CancellationToken.None);

        Assert.Equal(["l1", "l2", "m", "other"], Names(tree));
        Assert.Equal("old", System.IO.File.ReadAllText(Path.Combine(tree, "m")));
        Assert.Equal("new", System.IO.File.ReadAllText(Path.Combine(tree, "other")));
        System.IO.File.WriteAllText(Path.Combine(tree, "l1"), "changed");
        Assert.Equal("changed", System.IO.File.ReadAllText(Path.Combine(tree, "l2")));
    }

    [Fact]
    public void Settle_WhiteoutOfTheLinkItself_LinkStays()
    {
        var lower = Layer("lower", [], File("target", "text"), File("link", "lower"));
        var upper = Layer("upper", [lower], Link("link", "target"), File(".wh.link", ""));

        Assert.Equal("text", System.IO.File.ReadAllText(Path.Combine(upper, "link")));
    }

    [Fact]
    public void Settle_DirectoryOfTheLinkReplaced_LinkIsGone()
    {
        var lower = Layer("lower", [], File("target", "text"));
        var upper = Layer("upper", [lower], Folder("d"), Link("d/link", "target"), File("d", "file"));

        Assert.Equal("file", System.IO.File.ReadAllText(Path.Combine(upper, "d")));
    }

    [Fact]
    public void Settle_LinkThatIsADirectoryToo_CorruptData()
    {
        var lower = Layer("lower", [], File("target", "text"));

        Assert.Equal(ErrorKind.CorruptData, Fails([lower], Link("link", "target"), File("link/f", "x")));
    }

    [Fact]
    public void Settle_TargetLaterInTheLayerItself_IsLinked()
    {
        var layer = Layer("layer", [], Link("link", "target"), File("target", "text"));

        Assert.Equal("text", System.IO.File.ReadAllText(Path.Combine(layer, "link")));
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("d")]
    [InlineData("s/nothing")]
    public void Settle_HardLinkToNoFile_CorruptData(string target)
    {
        var lower = Layer("lower", [], Folder("d"), File("d/target", "text"), Symlink("s", "d"));

        Assert.Equal(ErrorKind.CorruptData, Fails([lower], Link("link", target)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Settle_ChainOfHardLinks_IsOneFile(bool backwards)
    {
        const int Links = 20_000;
        var lower = Layer("lower", [], File("link0", "text"));
        var chain = Enumerable.Range(1, Links).Select(i => Link($"link{i}", $"link{i - 1}"));
        var upper = Layer("upper", [lower], [.. backwards ? chain.Reverse() : chain]);

        System.IO.File.WriteAllText(Path.Combine(upper, "link0"), "changed");
        Assert.Equal("changed", System.IO.File.ReadAllText(Path.Combine(upper, $"link{Links}")));
        Assert.Equal(Links + 1, Directory.GetFiles(upper).Length);
    }

    [Fact]
    public void Settle_HardLinksThatPointAtEachOther_CorruptData() =>
        Assert.Equal(ErrorKind.CorruptData, Fails([], Link("a", "b"), Link("b", "a")));

    [Fact]
    public void Settle_ImpliedDirectory_TakesWhatItWasBelow()
    {
        var lower = Layer("lower", [], Folder("", Odd), Folder("d", Odd), Folder("d/e", Odd));
        var upper = Layer("upper", [lower], File("d/e/f", "x"));

        foreach (var path in new[] { "", "d", "d/e" })
        {
            Assert.Equal(Odd, System.IO.File.GetUnixFileMode(Path.Combine(upper, path)));
            Assert.Equal(s_time, Directory.GetLastWriteTimeUtc(Path.Combine(upper, path)));
        }
    }

    [Fact]
    public void Settle_ImpliedDirectoryOverLowerLink_HidesTheLink()
    {
        var lower = Layer("lower", [], Folder("real", Odd), File("real/old", "x"), Symlink("d", "real"));
        var upper = Layer("upper", [lower], File("d/f", "x"));
        var tree = Directory.CreateDirectory(Path.Combine(_work, "tree")).FullName;
        LayerMerger.MergeOnto(lower, tree, s_format, CancellationToken.None);
        LayerMerger.MergeOnto(upper, tree, s_format, CancellationToken.None);

        Assert.Null(new DirectoryInfo(Path.Combine(tree, "d")).LinkTarget);
        Assert.Equal(["f"], Names(Path.Combine(tree, "d")));
        Assert.Equal(["old"], Names(Path.Combine(tree, "real")));
        Assert.Equal(DateTime.UnixEpoch, Directory.GetLastWriteTimeUtc(Path.Combine(tree, "d")));
    }

    [Fact]
    public void Settle_OpaqueImpliedDirectory_KeepsItsMetadata()
    {
        var lower = Layer("lower", [], Folder("d", Odd), File("d/old", "x"));
        var upper = Layer("upper", [lower], File("d/.wh..wh..opq", ""), File("d/f", "x"));

        Assert.Equal(Odd, System.IO.File.GetUnixFileMode(Path.Combine(upper, "d")));
        Assert.Equal(s_time, Directory.GetLastWriteTimeUtc(Path.Combine(upper, "d")));
    }

    [Theory]
    [InlineData(".wh.d", "d/f")]
    [InlineData("d/f", ".wh.d")]
    public void Settle_ImpliedDirectoryThatWasRemoved_IsNew(string one, string other)
    {
        var lower = Layer("lower", [], Folder("d", Odd), File("d/old", "x"));
        var upper = Layer("upper", [lower], File(one, ""), File(other, ""));

        Assert.Equal((UnixFileMode)0x1ED, System.IO.File.GetUnixFileMode(Path.Combine(upper, "d")));
        Assert.Equal(DateTime.UnixEpoch, Directory.GetLastWriteTimeUtc(Path.Combine(upper, "d")));
    }

    [Fact]
    public void Merge_DirectoryWithFewerAttributes_LosesTheOthers()
    {
        var lower = Layer("lower", [], TarBytes.Folder("d", "SCHILY.xattr.user.a=1", "SCHILY.xattr.user.b=1"));
        var upper = Layer("upper", [lower], TarBytes.Folder("d", "SCHILY.xattr.user.b=2"));
        var tree = Directory.CreateDirectory(Path.Combine(_work, "tree")).FullName;
        LayerMerger.MergeOnto(lower, tree, s_format, CancellationToken.None);
        LayerMerger.MergeOnto(upper, tree, s_format, CancellationToken.None);

        using var root = ImageStore.Store.Interop.OpenAt.HostDirectory(tree);
        Assert.Equal(["user.b\0"], ImageStore.Store.Interop.Xattr.List(root, "d\0"u8).Select(System.Text.Encoding.ASCII.GetString));
        Assert.Equal("2"u8.ToArray(), ImageStore.Store.Interop.Xattr.Get(root, "d\0"u8, "user.b\0"u8));
    }

    [Theory]
    [InlineData("trusted.overlay.opaque")]
    [InlineData("trusted.overlay.redirect")]
    [InlineData("user.overlay.opaque")]
    public void Apply_AttributeOfOverlayfs_IsDropped(string name)
    {
        var entry = new PaxTarEntry(
            TarEntryType.Directory, "d/", [new("SCHILY.xattr." + name, "y"), new("SCHILY.xattr.user.kept", "z")]);
        var layer = Layer("layer", [], entry);

        using var root = ImageStore.Store.Interop.OpenAt.HostDirectory(layer);
        Assert.Equal(["user.kept\0"], ImageStore.Store.Interop.Xattr.List(root, "d\0"u8).Select(System.Text.Encoding.ASCII.GetString));
    }

    private static PaxTarEntry Folder(string name, UnixFileMode mode = Odd) =>
        new(TarEntryType.Directory, $"./{name}/") { Mode = mode, ModificationTime = s_time };

    private static PaxTarEntry File(string name, string text, UnixFileMode mode = Odd) =>
        new(TarEntryType.RegularFile, name)
        {
            Mode = mode, ModificationTime = s_time, DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)),
        };

    private static PaxTarEntry Link(string name, string target) => new(TarEntryType.HardLink, name) { LinkName = target, Mode = Odd, ModificationTime = s_time };

    private static PaxTarEntry Symlink(string name, string target) => new(TarEntryType.SymbolicLink, name) { LinkName = target };

    private static IEnumerable<string?> Names(string directory) =>
        Directory.GetFileSystemEntries(directory).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private ErrorKind Fails(string[] lowers, params PaxTarEntry[] entries) =>
        Assert.Throws<ImageStoreException>(() => Layer("failing", lowers, entries)).Kind;

    private string Layer(string name, string[] lowers, params PaxTarEntry[] entries)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            Array.ForEach(entries, tar.WriteEntry);
        }

        bytes.Position = 0;
        var directory = Directory.CreateDirectory(Path.Combine(_work, name)).FullName;
        var applied = _bench.Apply(bytes, LayerCompression.None, directory, new LayerLimits());
        _bench.Settle(applied, directory, lowers);
        return directory;
    }
}
