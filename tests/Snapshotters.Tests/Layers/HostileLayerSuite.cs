using System.Formats.Tar;
using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Names, numbers and headers that are made to go wrong: nothing outside the layer's directory ever changes.</summary>
public abstract class HostileLayerSuite : IDisposable
{
    private readonly string _work = Directory.CreateTempSubdirectory("hostile-").FullName;
    private readonly string _layer;
    private readonly string _outside;

    private readonly LayerBench _bench;

    protected HostileLayerSuite(LayerBench bench)
    {
        _bench = bench;
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _layer = Directory.CreateDirectory(Path.Combine(_work, "layer")).FullName;
        _outside = Path.Combine(_work, "outside");
        File.WriteAllText(_outside, "mine");
    }

    public void Dispose()
    {
        _bench.Dispose();
        GC.SuppressFinalize(this);
        var (text, names) = (File.ReadAllText(_outside), Directory.GetFileSystemEntries(_work).Length);
        TreeRemover.RemoveTree(_work);
        Assert.Equal(("mine", 2), (text, names));
    }

    [Fact]
    public void Apply_AbsoluteName_LandsInTheRoot()
    {
        Apply(TarBytes.Of(TarBytes.File(_outside, "x"), TarBytes.File("//a/./b", "y")));

        Assert.Equal("x", File.ReadAllText(_layer + _outside));
        Assert.Equal("y", File.ReadAllText(Path.Combine(_layer, "a/b")));
    }

    [Fact]
    public void Apply_NameThroughAbsoluteLinks_LandsInTheRoot()
    {
        Apply(TarBytes.Of(
            TarBytes.Folder("in"), TarBytes.Symlink("l", "/in"), TarBytes.Symlink("m", "l"), TarBytes.File("m/outside", "x")));

        Assert.Equal("x", File.ReadAllText(Path.Combine(_layer, "in/outside")));
    }

    [Fact]
    public void Apply_FileOverALinkToOutside_ReplacesTheLink()
    {
        Apply(TarBytes.Of(TarBytes.Symlink("f", _outside), TarBytes.File("f", "x")));

        Assert.Equal("x", File.ReadAllText(Path.Combine(_layer, "f")));
        Assert.Null(new FileInfo(Path.Combine(_layer, "f")).LinkTarget);
    }

    [Fact]
    public void Apply_LinksInALoop_OneError() =>
        Assert.Equal(ErrorKind.CorruptData, Fails(TarBytes.Of(TarBytes.Symlink("a", "b"), TarBytes.Symlink("b", "a"), TarBytes.File("a/f"))));

    [Theory]
    [InlineData("../outside")]
    [InlineData("a/../../outside")]
    public void Apply_HardLinkThatClimbs_CorruptData(string target) =>
        Assert.Equal(ErrorKind.CorruptData, Fails(TarBytes.Of(TarBytes.Link("l", target))));

    [Fact]
    public void Settle_HardLinkToAbsoluteOutside_CorruptData()
    {
        var applied = Apply(TarBytes.Of(TarBytes.Link("l", _outside)));

        var error = Assert.Throws<ImageStoreException>(
            () => _bench.Settle(applied, _layer, []));
        Assert.Equal(ErrorKind.CorruptData, error.Kind);
    }

    [Theory]
    [InlineData(".wh..")]
    [InlineData("d/.wh...")]
    [InlineData("d/.wh.")]
    public void Apply_WhiteoutOfDots_CorruptData(string name) =>
        Assert.Equal(ErrorKind.CorruptData, Fails(TarBytes.Of(TarBytes.Folder("d"), TarBytes.File(name))));

    [Fact]
    public void Apply_WhiteoutThroughALinkToOutside_StaysInTheRoot()
    {
        Apply(TarBytes.Of(TarBytes.Symlink("l", ".."), TarBytes.File("l/.wh.outside")));

        using var root = OpenAt.HostDirectory(_layer);
        Assert.True(FileMetadata.TryGet(root, "outside\0"u8) is { IsWhiteout: true });
    }

    [Fact]
    public void Apply_NumbersInBase256_AreRead()
    {
        var file = TarBytes.Header("f", (byte)'0', h =>
        {
            SetBase256(h.AsSpan(108, 8), 4_000_000_000);
            SetBase256(h.AsSpan(116, 8), 3_000_000);
            SetBase256(h.AsSpan(124, 12), 3);
            SetBase256(h.AsSpan(136, 12), -86400);
        });
        Apply([.. file, .. "abc"u8, .. new byte[509], .. new byte[1024]]);

        var found = Metadata("f");
        Assert.Equal((4_000_000_000U, 3_000_000U, -86400L, 3L), (found.Uid, found.Gid, found.Seconds, found.Size));
    }

    [Theory]
    [InlineData(108, 8, -1)]
    [InlineData(108, 8, 4294967295)]
    [InlineData(116, 8, 4294967296)]
    [InlineData(124, 12, -1)]
    [InlineData(124, 12, long.MinValue)]
    public void Apply_NumberOutOfRange_CorruptData(int offset, int length, long value)
    {
        var file = TarBytes.Header("f", (byte)'0', h => SetBase256(h.AsSpan(offset, length), value));

        Assert.Equal(ErrorKind.CorruptData, Fails([.. file, .. new byte[1024]]));
    }

    [Theory]
    [InlineData("-1.25", -2, 750_000_000)]
    [InlineData("-0.5", -1, 500_000_000)]
    [InlineData("981173106.123456789", 981173106, 123_456_789)]
    [InlineData("1.1234567899", 1, 123_456_789)]
    public void Apply_PaxTime_IsExact(string mtime, long seconds, uint nanoseconds)
    {
        Apply([.. Pax($"mtime={mtime}"), .. TarBytes.Header("f", (byte)'0'), .. new byte[1024]]);

        var found = Metadata("f");
        Assert.Equal((seconds, nanoseconds), (found.Seconds, found.Nanoseconds));
    }

    [Theory]
    [InlineData("mtime=")]
    [InlineData("mtime=x")]
    [InlineData("mtime=1.x")]
    [InlineData("size=-1")]
    [InlineData("size=1e3")]
    [InlineData("uid=4294967295")]
    [InlineData("path=a\0b")]
    [InlineData("=x")]
    public void Apply_PaxRecord_IsReadOrRefusedOnce(string record)
    {
        byte[] tar = [.. Pax(record), .. TarBytes.Header("f", (byte)'0'), .. new byte[1024]];
        if (record == "mtime=")
        {
            // An empty value takes back what was said before.
            Apply(tar);
            Assert.Equal(0, Metadata("f").Seconds);
            return;
        }

        Assert.Equal(ErrorKind.CorruptData, Fails(tar));
    }

    [Fact]
    public void Apply_HeaderThatClaimsTerabytes_LimitExceeded()
    {
        var huge = TarBytes.Header("pax", (byte)'x', h => SetBase256(h.AsSpan(124, 12), 1L << 40));

        Assert.Equal(ErrorKind.LimitExceeded, Fails([.. huge, .. new byte[1024]]));
    }

    [Fact]
    public void Apply_AttributeWithNewlineAndZero_IsKept()
    {
        byte[] value = [(byte)'a', (byte)'\n', 0, 255, (byte)'='];
        Apply([.. Pax("SCHILY.xattr.user.v=" + Encoding.Latin1.GetString(value)), .. TarBytes.Header("f", (byte)'0'), .. new byte[1024]]);

        using var root = OpenAt.HostDirectory(_layer);
        Assert.Equal(value, Xattr.Get(root, "f\0"u8, "user.v\0"u8));
    }

    [Fact]
    public void Apply_UserAttributeOfALink_IsLeftOut()
    {
        Apply(TarBytes.Of(TarBytes.Symlink("l", "x", "SCHILY.xattr.user.v=1")));

        Assert.Equal("x", new FileInfo(Path.Combine(_layer, "l")).LinkTarget);
    }

    [Fact]
    public void Apply_Names_AreBytesOfAnyKindUpTo255()
    {
        var longest = new string('n', 255);
        Apply([.. TarBytes.Header("a\u00FFb\nc", (byte)'0'), .. Pax("path=" + longest), .. TarBytes.Header("x", (byte)'0'), .. new byte[1024]]);

        Assert.Equal(0x1A4U, Metadata("a\u00FFb\nc").Permissions);
        Assert.True(File.Exists(Path.Combine(_layer, longest)));
        Assert.Equal(ErrorKind.CorruptData, Fails([.. Pax("path=" + longest + "n"), .. TarBytes.Header("x", (byte)'0'), .. new byte[1024]]));
    }

    [Fact]
    public void Apply_NamesTwice_TheLastStays()
    {
        Apply(TarBytes.Of(
            TarBytes.File("f", "one"), TarBytes.File("f", "two"), TarBytes.Folder("d"), TarBytes.File("d/x"), TarBytes.Folder("d"),
            TarBytes.File("g"), TarBytes.Folder("g")));

        Assert.Equal("two", File.ReadAllText(Path.Combine(_layer, "f")));
        Assert.True(File.Exists(Path.Combine(_layer, "d/x")));
        Assert.True(Directory.Exists(Path.Combine(_layer, "g")));
    }

    [Fact]
    public void Apply_Devices_HaveTheirNumbers()
    {
        Apply(TarBytes.Of(
            new PaxTarEntry(TarEntryType.BlockDevice, "b") { DeviceMajor = 300, DeviceMinor = 70000 },
            new PaxTarEntry(TarEntryType.Fifo, "p")));

        Assert.Equal((300U, 70000U), Metadata("b").Device);
        Assert.Equal(0x1000U, Metadata("p").Mode & 0xF000);
        Assert.Equal(ErrorKind.CorruptData, Fails(TarBytes.Of(new PaxTarEntry(TarEntryType.CharacterDevice, "c"))));
    }

    [Fact]
    public void Apply_RootThatIsALink_CorruptData() =>
        Assert.Equal(ErrorKind.CorruptData, Fails([.. TarBytes.Header("./", (byte)'2'), .. new byte[1024]]));

    private static void SetBase256(Span<byte> field, long value)
    {
        for (var i = field.Length - 1; i >= 0; i--, value >>= 8)
        {
            field[i] = (byte)value;
        }

        field[0] = (byte)(field[0] | 0x80);
    }

    private static byte[] Pax(string record)
    {
        var length = record.Length + 2;
        var digits = 1;
        while ((length + digits).ToString(System.Globalization.CultureInfo.InvariantCulture).Length > digits)
        {
            digits++;
        }

        var body = Encoding.Latin1.GetBytes($"{length + digits} {record}\n");
        return [.. TarBytes.Header("pax", (byte)'x', h => SetBase256(h.AsSpan(124, 12), body.Length)), .. body, .. new byte[-body.Length & 511]];
    }

    private FileMetadata Metadata(string name)
    {
        using var root = OpenAt.HostDirectory(_layer);
        return FileMetadata.TryGet(root, RootedPath.Name(name))!.Value;
    }

    private ErrorKind Fails(byte[] tar) => Assert.Throws<ImageStoreException>(() => Apply(tar)).Kind;

    private AppliedLayer Apply(byte[] tar) => _bench.Apply(new MemoryStream(tar), LayerCompression.None, _layer, new LayerLimits());
}
