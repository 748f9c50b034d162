using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Headers of each kind, written byte by byte.</summary>
public abstract class TarFormatSuite : IDisposable
{
    private const int Uid = 108;
    private const int Size = 124;
    private const int Mtime = 136;
    private const int DeviceMajor = 329;
    private const int Prefix = 345;
    private static readonly byte[] s_text = "text"u8.ToArray();
    private readonly string _root = Directory.CreateTempSubdirectory("format-").FullName;

    private readonly LayerBench _bench;

    protected TarFormatSuite(LayerBench bench)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _bench = bench;
    }

    public void Dispose()
    {
        _bench.Dispose();
        TreeRemover.RemoveTree(_root);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Apply_V7_TypeIsNulAndASlashMakesADirectory()
    {
        // What v7 leaves undefined holds no prefix, whatever is there.
        Apply(
            RawTar.Entry("d/", '\0', [], magic: RawTar.V7),
            RawTar.Entry("d/f", '\0', s_text, magic: RawTar.V7, fields: (Prefix, "nothing"u8.ToArray())),
            RawTar.Entry("d/l", '2', [], "f", RawTar.V7),
            RawTar.Entry("d/h", '1', [], "d/f", RawTar.V7));

        Assert.Equal("text", Text("d/f"));
        Assert.Equal("text", Text("d/h"));
        Assert.Equal("f", new FileInfo(In("d/l")).LinkTarget);
    }

    [Fact]
    public void Apply_DirectoryThatOnlyItsSlashTells_ItsBodyIsSkipped()
    {
        Apply(
            RawTar.Entry("./", '\0', s_text, magic: RawTar.V7), RawTar.Entry("d/", '\0', s_text, magic: RawTar.V7),
            RawTar.Entry("after", '0', s_text));

        Assert.True(Directory.Exists(In("d")));
        Assert.Equal("text", Text("after"));
    }

    [Fact]
    public void Apply_UstarPrefix_ComesBeforeTheName()
    {
        var prefix = new string('p', 155);
        var name = new string('n', 100);
        Apply(
            RawTar.Entry("plain", '0', s_text),
            RawTar.Entry(name, '0', s_text, fields: (Prefix, Encoding.ASCII.GetBytes(prefix))),
            RawTar.Entry("gnu", '0', s_text, magic: RawTar.Gnu, fields: (Prefix, "14623410000\014623410000\0rest"u8.ToArray())),
            RawTar.Entry("old", '0', s_text, magic: RawTar.Gnu, fields: (Prefix, "go/before/1.8"u8.ToArray())),
            RawTar.Entry("bytes", '0', s_text, magic: RawTar.Gnu, fields: (Prefix, [0x31, 0xff, 0x39])),
            RawTar.Entry("star", '0', s_text, fields: [(Prefix, Encoding.ASCII.GetBytes(prefix[..131] + "14623410000")), (508, "tar\0"u8.ToArray())]));

        Assert.Equal("text", Text($"{prefix}/{name}"));
        Assert.Equal("text", Text("plain"));
        Assert.Equal("text", Text("gnu"));
        Assert.Equal("text", Text("go/before/1.8/old"));
        Assert.Equal("text", Text("bytes"));
        Assert.Equal("text", Text($"{prefix[..131]}/star"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Apply_GnuLongNames_HoldForOneEntry(bool nameFirst)
    {
        var name = $"{new string('a', 200)}/{new string('b', 200)}";
        var link = new string('c', 300);
        byte[][] longs =
        [
            RawTar.Entry("././@LongLink", 'L', Latin1(name + "\0"), magic: RawTar.Gnu),
            RawTar.Entry("././@LongLink", 'K', Latin1(link + "\0"), magic: RawTar.Gnu),
        ];
        Apply([.. nameFirst ? longs : longs.Reverse(), RawTar.Entry("cut", '2', [], "cut"), RawTar.Entry("next", '2', [], "short")]);

        Assert.Equal(link, new FileInfo(In(name)).LinkTarget);
        Assert.Equal("short", new FileInfo(In("next")).LinkTarget);
        Assert.False(File.Exists(In("cut")));
    }

    [Fact]
    public void Apply_PaxRecords_WinOverGnuAndUstar()
    {
        var name = $"{new string('é', 120)}/{new string('y', 200)}";
        Apply(
            RawTar.Entry("././@LongLink", 'L', Latin1("gnu\0"), magic: RawTar.Gnu),
            RawTar.Pax('x', $"path={Utf8(name)}", "size=4", "uid=4294967294", "gid=70000"),
            RawTar.Entry("cut", '0', s_text, fields: (Size, RawTar.Octal(0, 11))),
            RawTar.Pax('x', $"linkpath={Utf8(name)}"),
            RawTar.Entry("l", '2', [], "cut"));

        Assert.Equal("text", Text(name));
        Assert.Equal((4294967294, 70000U), (Stat(Utf8(name)).Uid, Stat(Utf8(name)).Gid));
        Assert.Equal(name, new FileInfo(In("l")).LinkTarget);
    }

    [Theory]
    [InlineData("1.5", 1, 500_000_000)]
    [InlineData("1700000000.123456789", 1_700_000_000, 123_456_789)]
    [InlineData("1.1234567899", 1, 123_456_789)]
    [InlineData("-0.25", -1, 750_000_000)]
    [InlineData("-86400", -86400, 0)]
    [InlineData("-86400.000000001", -86401, 999_999_999)]
    public void Apply_PaxTime_IsKeptToTheNanosecond(string mtime, long seconds, uint nanoseconds)
    {
        Apply(
            RawTar.Pax('x', "mtime=" + mtime), RawTar.Entry("f", '0', s_text),
            RawTar.Pax('x', "mtime=" + mtime), RawTar.Entry("d", '5', []));

        Assert.Equal((seconds, nanoseconds), (Stat("f").Seconds, Stat("f").Nanoseconds));
        Assert.Equal((seconds, nanoseconds), (Stat("d").Seconds, Stat("d").Nanoseconds));
    }

    [Fact]
    public void Apply_Base256_HoldsLargeAndNegativeNumbers()
    {
        Apply(RawTar.Entry(
            "f", '0', s_text, fields: [(Uid, RawTar.Base256(4_000_000_000, 8)), (Size, RawTar.Base256(4, 12)), (Mtime, RawTar.Base256(-5, 12))]));

        Assert.Equal((4_000_000_000, -5), (Stat("f").Uid, Stat("f").Seconds));
        Assert.Equal("text", Text("f"));
    }

    [Theory]
    [InlineData(Size, -1)]
    [InlineData(Uid, -1)]
    [InlineData(Uid, uint.MaxValue)]
    [InlineData(DeviceMajor, 4096)]
    public void Apply_NumberOutOfRange_CorruptData(int offset, long value) => Refused(
        "", RawTar.Entry("f", offset == DeviceMajor ? '4' : '0', [], fields: (offset, RawTar.Base256(value, offset is Size ? 12 : 8))));

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1L << 40)]
    [InlineData(-(1L << 40))]
    public void Apply_TimeThatNoFileSystemHolds_IsTheNearestThatItDoes(long time)
    {
        Apply(
            RawTar.Entry("f", '0', s_text, fields: (Mtime, RawTar.Base256(time, 12))), RawTar.Entry("d", '5', [], fields: (Mtime, RawTar.Base256(time, 12))));

        Assert.Equal(Stat("f").Seconds, Stat("d").Seconds);
        Assert.Equal(time > 0, Stat("f").Seconds > 0);
    }

    [Fact]
    public void Apply_PaxTimeBeforeAllTimes_CorruptData() =>
        Refused("out of range", RawTar.Pax('x', "mtime=-9223372036854775808.5"), RawTar.Entry("f", '0', []));

    [Theory]
    [InlineData("", '0', "x")]
    [InlineData("s", '2', "")]
    [InlineData("l", '1', "")]
    [InlineData("l", '1', "/")]
    [InlineData("f/../l", '1', "./l")]
    public void Apply_NameOrTargetThatIsNone_CorruptData(string name, char type, string target) => Refused("", RawTar.Entry(name, type, [], target));

    [Fact]
    public void Apply_PathBeyondWhatLinuxTakes_LimitExceeded()
    {
        var path = string.Concat(Enumerable.Repeat(new string('p', 250) + "/", 17));

        Assert.Equal(ErrorKind.LimitExceeded, Assert.Throws<ImageStoreException>(() => Apply(RawTar.Pax('x', "path=" + path), RawTar.Entry("d", '5', []))).Kind);
        Refused("", RawTar.Pax('x', "linkpath=" + path), RawTar.Entry("l", '2', []));
    }

    [Fact]
    public void Apply_Base256BeyondSixtyFourBits_CorruptData() => Refused(
        "out of range", RawTar.Entry("f", '0', [], fields: (Size, [0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])));

    [Fact]
    public void Apply_OctalWithSpacesOrRestAfterNul_IsRead()
    {
        Apply(RawTar.Entry("f", '0', s_text, fields: [(Size, "        4 \0\0"u8.ToArray()), (Uid, "17\0rest "u8.ToArray())]));

        Assert.Equal(15U, Stat("f").Uid);
        Assert.Equal("text", Text("f"));
    }

    [Theory]
    [InlineData("a\nb=c\n\n")]
    [InlineData("\0\u0001\0\u00ff\0")]
    [InlineData("")]
    public void Apply_XattrOfAnyBytes_IsKept(string value)
    {
        Apply(
            RawTar.Pax('x', "SCHILY.xattr.user.any=" + value, "comment=more"), RawTar.Entry("f", '0', s_text));

        using var directory = OpenAt.HostDirectory(_root);
        Assert.Equal(Latin1(value), Xattr.Get(directory, "f\0"u8, "user.any\0"u8));
    }

    [Fact]
    public void Apply_GlobalHeader_HoldsUntilTheNextAndBelowALocalOne()
    {
        Apply(
            RawTar.Pax('g', "uid=7", "comment=all"), RawTar.Entry("a", '0', s_text),
            RawTar.Pax('x', "uid=8"), RawTar.Entry("b", '0', s_text), RawTar.Entry("c", '0', s_text),
            RawTar.Pax('x', "uid="), RawTar.Entry("d", '0', s_text),
            RawTar.Pax('g', "uid=9"), RawTar.Entry("e", '0', s_text),
            RawTar.Pax('x', "uid=8"), RawTar.Pax('g', "uid=10"), RawTar.Entry("f", '0', s_text),
            RawTar.Pax('g', "uid="), RawTar.Entry("g", '0', s_text));

        Assert.Equal([7U, 8U, 7U, 0U, 9U, 8U, 0U], "abcdefg".Select(name => Stat(name.ToString()).Uid));
    }

    [Fact]
    public void Apply_GlobalRecordsThatPileUp_LimitExceeded()
    {
        var limits = new LayerLimits();
        var many = Enumerable.Range(0, limits.MaxGlobalRecords + 1).Select(i => RawTar.Pax('g', $"key{i}=x"));
        var value = new string('x', limits.MaxHeaderBytes / 2);
        byte[][] large = [RawTar.Pax('g', "a=" + value), RawTar.Entry("f", '0', s_text), RawTar.Pax('g', "b=" + value)];

        Assert.Equal(ErrorKind.LimitExceeded, Assert.Throws<ImageStoreException>(() => Apply([.. many])).Kind);
        Assert.Equal(ErrorKind.LimitExceeded, Assert.Throws<ImageStoreException>(() => Apply(large)).Kind);
    }

    [Fact]
    public void Apply_SizeOfWhatHasNoBody_IsIgnored()
    {
        const string Types = "123456";
        var entries = Types.Select(type => RawTar.Entry(
            "e" + type, type, [], type == '1' ? "target" : "x",
            fields: [(Size, RawTar.Octal(1000, 11)), (DeviceMajor, RawTar.Octal(1, 7))]));
        Apply([RawTar.Entry("target", '0', s_text), .. entries, RawTar.Entry("after", '0', s_text)]);

        Assert.Equal(["after", "e1", "e2", "e3", "e4", "e5", "e6", "target"], Names());
        Assert.Equal("text", Text("after"));
    }

    [Theory]
    [InlineData('V')]
    [InlineData('D')]
    [InlineData('M')]
    [InlineData('Z')]
    [InlineData('8')]
    public void Apply_UnknownType_IsRefusedAndNamed(char type)
    {
        var error = Assert.Throws<ImageStoreException>(
            () => Apply(RawTar.Entry("strange", type, [1]), RawTar.Entry("after", '0', s_text)));

        Assert.Equal(ErrorKind.Unsupported, error.Kind);
        Assert.Contains("'strange'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("path=a\0b")]
    [InlineData("linkpath=a\0b")]
    [InlineData("SCHILY.xattr.user.a\0b=c")]
    public void Apply_NulInAPaxName_CorruptData(string record) => Refused("NUL", RawTar.Pax('x', record), RawTar.Entry("l", '2', [], "x"));

    [Theory]
    [InlineData("9 path=ab\n")]
    [InlineData("99 path=a\n")]
    [InlineData("x path=a\n")]
    [InlineData("5 =ab\n")]
    [InlineData("10 mtime=\n")]
    [InlineData("11 mtime=-\n")]
    [InlineData("12 mtime=1x\n")]
    [InlineData("13 mtime=1.x\n")]
    [InlineData("8 uid=1.\n")]
    public void Apply_MalformedPaxRecord_CorruptDataOrLeftOut(string records)
    {
        byte[][] archive = [RawTar.Entry("pax", 'x', Latin1(records)), RawTar.Entry("f", '0', s_text)];
        if (records.EndsWith("=\n", StringComparison.Ordinal))
        {
            Apply(archive);
            Assert.Equal(0, Stat("f").Seconds);
        }
        else
        {
            Refused("", archive);
        }
    }

    [Fact]
    public void Apply_WrongChecksum_CorruptData()
    {
        var entry = RawTar.Entry("f", '0', s_text);
        entry[1]++;

        Refused("checksum", entry);
    }

    [Fact]
    public void Apply_ChecksumOfSignedBytes_IsAccepted()
    {
        var entry = RawTar.Entry("\u00c3\u00a9", '0', s_text);
        RawTar.Seal(entry.AsSpan(0, RawTar.Block), b => (sbyte)b);
        Apply(entry);

        Assert.Equal("text", Text("é"));
    }

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);

    private static string Utf8(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private string In(string path) => Path.Combine(_root, path);

    private string Text(string path) => File.ReadAllText(In(path));

    private IEnumerable<string?> Names() => Directory.GetFileSystemEntries(_root).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private FileMetadata Stat(string path)
    {
        using var directory = OpenAt.HostDirectory(_root);
        return FileMetadata.TryGet(directory, Latin1(path + "\0"))!.Value;
    }

    private void Refused(string why, params byte[][] entries)
    {
        var error = Assert.Throws<ImageStoreException>(() => Apply(entries));

        Assert.Equal(ErrorKind.CorruptData, error.Kind);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    private void Apply(params byte[][] entries) => _bench.Apply(new MemoryStream([.. entries.SelectMany(entry => entry), .. RawTar.End]), LayerCompression.None, _root, new LayerLimits());
}
