using System.Text;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Hard links do what docker and containerd do: their metadata holds for the file, and their target may be named through links.</summary>
public abstract class HardLinkSuite : IDisposable
{
    private const int Mode = 100;
    private const int Uid = 108;
    private const int Mtime = 136;
    private static readonly byte[] s_text = "text"u8.ToArray();
    private readonly StackBench _bench;

    protected HardLinkSuite(LayerBench bench) => _bench = new StackBench(bench);

    public void Dispose()
    {
        _bench.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Add_LinkInTheLayer_ItsMetadataIsTheFiles()
    {
        _bench.Add(RawTar.Entry("f", '0', s_text), Link("l", "f"));

        AssertLinked("f", "l");
    }

    [Fact]
    public void Add_LinkIntoALowerLayer_ItsMetadataIsTheFiles()
    {
        _bench.Add(RawTar.Entry("f", '0', s_text));
        _bench.Add(Link("l", "f"));

        AssertLinked("f", "l");
    }

    [Fact]
    public void Add_LinkWithTheSameOwner_KeepsTheCapability()
    {
        const string Capability = "\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        _bench.Add(
            RawTar.Pax('x', "SCHILY.xattr.security.capability=" + Capability), RawTar.Entry("f", '0', s_text), RawTar.Entry("l", '1', [], "f"));

        Assert.Equal("security.capability=" + Capability, StackBench.Xattrs(_bench.Top, "l"));
    }

    [Fact]
    public void Add_LinkToASymlink_IsOneToo()
    {
        _bench.Add(RawTar.Entry("f", '0', s_text), RawTar.Entry("s", '2', [], "f"), Link("l", "s"));

        Assert.Equal("f", new FileInfo(Path.Combine(_bench.Tree, "l")).LinkTarget);
        Assert.Equal(5U, StackBench.Stat(_bench.Tree, "s").Uid);
        Assert.Equal(0x1A4U, StackBench.Stat(_bench.Tree, "f").Permissions);
    }

    [Theory]
    [InlineData("d")]
    [InlineData("/d")]
    [InlineData("../../d")]
    [InlineData("x/../d")]
    [InlineData("other")]
    public void Add_TargetThroughALowersSymlink_IsFound(string points)
    {
        _bench.Add(RawTar.Entry("d/f", '0', s_text), RawTar.Entry("x", '5', []), RawTar.Entry("other", '2', [], "d"), RawTar.Entry("s", '2', [], points));
        _bench.Add(Link("l", "s/f"));

        AssertLinked("d/f", "l");
        Assert.Equal(points, new DirectoryInfo(Path.Combine(_bench.Tree, "s")).LinkTarget);
    }

    [Fact]
    public void Add_TargetThroughTheLayersOwnSymlink_IsFoundBelow()
    {
        _bench.Add(RawTar.Entry("d/f", '0', s_text));
        _bench.Add(RawTar.Entry("s", '2', [], "d"), Link("l", "s/f"));

        AssertLinked("d/f", "l");
    }

    [Theory]
    [InlineData("l")]
    [InlineData("m")]
    public void Add_TargetOfThisLayerThroughALowersSymlink_IsFound(string link)
    {
        _bench.Add(RawTar.Entry("d", '5', []), RawTar.Entry("s", '2', [], "d"));
        _bench.Add(RawTar.Entry("d/f", '0', s_text), Link("l", "s/f"), Link("m", "s/f"));

        AssertLinked("d/f", link);
    }

    [Theory]
    [InlineData("loop/f")]
    [InlineData("../f")]
    [InlineData("out/passwd")]
    [InlineData("gone/f")]
    [InlineData("/")]
    [InlineData("")]
    public void Add_TargetThatIsNowhere_CorruptData(string target)
    {
        _bench.Add(RawTar.Entry("loop", '2', [], "pool"), RawTar.Entry("pool", '2', [], "loop"), RawTar.Entry("out", '2', [], "../../../../../../etc"), RawTar.Entry("gone", '2', [], "d"));

        Assert.Equal(ErrorKind.CorruptData, _bench.Refuses(Link("l", target)).Kind);
    }

    [Fact]
    public void Add_NamedThroughALinkThatChangesLater_BelongsToWhereItWas()
    {
        _bench.Add(RawTar.Entry("f", '0', s_text));
        _bench.Add(
            RawTar.Entry("a", '5', []), RawTar.Entry("b", '5', []), RawTar.Entry("s", '2', [], "a"), Link("s/l", "f"),
            RawTar.Entry("s/d", '5', [], fields: (Mtime, RawTar.Octal(77, 11))), RawTar.Entry("b/d", '5', [], fields: (Mtime, RawTar.Octal(88, 11))),
            RawTar.Entry("s", '2', [], "b"), RawTar.Entry("a/l", '0', "new"u8.ToArray()));

        Assert.Equal("new", File.ReadAllText(Path.Combine(_bench.Tree, "a/l")));
        Assert.Equal((77, 88), (StackBench.Stat(_bench.Tree, "a/d").Seconds, StackBench.Stat(_bench.Tree, "b/d").Seconds));
    }

    [Fact]
    public void Add_AufsLinks_PointAtWhatIsTakenAway()
    {
        _bench.Add(
            RawTar.Entry(".wh..wh.aufs", '0', []), RawTar.Entry(".wh..wh.orph/", '5', []), RawTar.Entry(".wh..wh.plnk/", '5', []),
            RawTar.Entry(".wh..wh.plnk/12.34", '0', s_text, fields: (Uid, RawTar.Octal(9, 7))), RawTar.Entry("d/l", '1', [], "/.wh..wh.plnk/12.34"),
            RawTar.Entry("m", '1', [], ".wh..wh.plnk/12.34"));

        foreach (var tree in new[] { _bench.Top, _bench.Tree })
        {
            Assert.Equal(["d", "m"], Directory.GetFileSystemEntries(tree).Select(Path.GetFileName).Order(StringComparer.Ordinal));
            Assert.Equal("text", File.ReadAllText(Path.Combine(tree, "d/l")));
            Assert.Equal(9U, StackBench.Stat(tree, "m").Uid);
        }

        Assert.Equal(ErrorKind.CorruptData, _bench.Refuses(RawTar.Entry("l", '1', [], ".wh..wh.plnk/12.34")).Kind);
    }

    private static byte[] Link(string name, string target) => RawTar.Entry(
        name, '1', [], target, fields: [(Mode, Encoding.ASCII.GetBytes("0004750")), (Uid, RawTar.Octal(5, 7)), (Mtime, RawTar.Octal(1234, 11))]);

    private void AssertLinked(string file, string link)
    {
        foreach (var tree in new[] { _bench.Top, _bench.Tree })
        {
            foreach (var path in new[] { file, link })
            {
                var found = StackBench.Stat(tree, path);
                Assert.Equal((0x9E8U, 5U, 1234L), (found.Permissions, found.Uid, found.Seconds));
                Assert.Equal("text", File.ReadAllText(Path.Combine(tree, path)));
            }

            File.WriteAllText(Path.Combine(tree, file), "text");
            File.AppendAllText(Path.Combine(tree, file), "!");
            Assert.Equal("text!", File.ReadAllText(Path.Combine(tree, link)));
        }
    }
}
