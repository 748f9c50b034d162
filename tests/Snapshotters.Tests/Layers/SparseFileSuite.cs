using System.Diagnostics;
using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Sparse files as GNU tar writes them, in each of its forms.</summary>
public abstract class SparseFileSuite : IDisposable
{
    private const long Megabyte = 1 << 20;
    private const int SizeField = 124;
    private const int OldGnuExtended = 482;

    private readonly string _work = Directory.CreateTempSubdirectory("sparse-").FullName;

    private readonly LayerBench _bench;

    protected SparseFileSuite(LayerBench bench)
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

    [Theory]
    [InlineData(1, "--format=gnu")]
    [InlineData(60, "--format=gnu")]
    [InlineData(60, "--format=posix", "--sparse-version=0.0")]
    [InlineData(60, "--format=posix", "--sparse-version=0.1")]
    [InlineData(1, "--format=posix", "--sparse-version=1.0")]
    [InlineData(60, "--format=posix", "--sparse-version=1.0")]
    public void Apply_MadeByGnuTar_HasTheSameBytesAndHoles(int segments, params string[] options)
    {
        var source = Directory.CreateDirectory(Path.Combine(_work, "source")).FullName;
        var file = Path.Combine(source, "sparse");
        using (var stream = File.Create(file))
        {
            for (var i = 0; i < segments; i++)
            {
                stream.Position = ((2 * i) + 1) * Megabyte;
                stream.Write(Encoding.UTF8.GetBytes($"segment {i}"));
            }

            stream.SetLength(((2 * segments) + 3) * Megabyte);
        }

        File.WriteAllText(Path.Combine(source, "usual"), "after it");
        var archive = Tar([.. options, "--sparse", "-C", source, "-cf", "-", "."]);
        Assert.True(archive.Length < segments * Megabyte, "tar did not find the holes");

        var target = Apply(archive);

        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(target, "sparse")));
        Assert.Equal("after it", File.ReadAllText(Path.Combine(target, "usual")));
        Assert.Equal(["sparse", "usual"], Directory.GetFiles(target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.True(Blocks(Path.Combine(target, "sparse")) <= Blocks(file) + 8, "the holes are filled");
    }

    [Theory]
    [InlineData("--format=gnu")]
    [InlineData("--format=posix", "--sparse-version=0.0")]
    [InlineData("--format=posix", "--sparse-version=0.1")]
    [InlineData("--format=posix", "--sparse-version=1.0")]
    public void Apply_OnlyAHoleDataAtBothEndsAndBeyondOctal_HaveTheSameBytesAndHoles(params string[] options)
    {
        const long Huge = 9L << 30;
        var source = Directory.CreateDirectory(Path.Combine(_work, "source")).FullName;
        var ends = new string('e', 200);
        Make(Path.Combine(source, "hole"), Megabyte);
        Make(Path.Combine(source, ends), Megabyte, 0, Megabyte - 4);
        Make(Path.Combine(source, "huge"), Huge, Huge - Megabyte);

        var target = Apply(Tar([.. options, "--sparse", "-C", source, "-cf", "-", "."]));

        Assert.Equal(new[] { ends, "hole", "huge" }, Directory.GetFiles(target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(new byte[Megabyte], File.ReadAllBytes(Path.Combine(target, "hole")));
        Assert.Equal(File.ReadAllBytes(Path.Combine(source, ends)), File.ReadAllBytes(Path.Combine(target, ends)));
        Assert.All(
            ["hole", ends, "huge"],
            name => Assert.True(Blocks(Path.Combine(target, name)) <= Blocks(Path.Combine(source, name)) + 8, $"{name} is filled"));
        using var huge = File.OpenRead(Path.Combine(target, "huge"));
        var tail = new byte[Megabyte];
        huge.Position = Huge - Megabyte;
        huge.ReadExactly(tail);
        Assert.Equal((Huge, "data"), (huge.Length, Encoding.ASCII.GetString(tail, 0, 4)));
        Assert.False(tail.AsSpan(4).ContainsAnyExcept((byte)0));
    }

    [Theory]
    [InlineData("10\n", "cut short")]
    [InlineData("1\n0\n8\n", "does not fit its data")]
    [InlineData("1\n5\n4\n", "beyond the file's size")]
    [InlineData("1\n9223372036854775807\n1\n", "beyond the file's size")]
    [InlineData("1\n1\n9223372036854775807\n", "beyond the file's size")]
    [InlineData("2\n4\n2\n0\n2\n", "out of order")]
    [InlineData("2\n0\n3\n2\n1\n", "overlap")]
    [InlineData("x\n", "malformed")]
    [InlineData("1\n-1\n4\n", "malformed")]
    public void Apply_PrefixedMapThatIsWrong_SaysWhatIsWrong(string map, string why) =>
        Refused(WithMap(map, "abcd"), ErrorKind.CorruptData, why);

    [Theory]
    [InlineData("0,4,4", "malformed")]
    [InlineData("0,,4,4", "PAX number")]
    [InlineData("-1,4", "negative")]
    [InlineData("0,-4", "negative")]
    [InlineData("0,2,4,2,6,0", "not as many segments")]
    public void Apply_RecordedMapThatIsWrong_SaysWhatIsWrong(string map, string why) => Refused(
        [.. Pax("GNU.sparse.size=8", "GNU.sparse.numblocks=1", "GNU.sparse.map=" + map), .. Body("abcd")], ErrorKind.CorruptData, why);

    [Theory]
    [InlineData("GNU.sparse.numbytes=4", "GNU.sparse.offset=0")]
    [InlineData("GNU.sparse.offset=0", "GNU.sparse.offset=4")]
    [InlineData("GNU.sparse.offset=0,4", "GNU.sparse.numbytes=4")]
    public void Apply_RecordsOfAMapInTheWrongOrder_CorruptData(string first, string second) => Refused(
        [.. Pax("GNU.sparse.size=8", "GNU.sparse.numblocks=1", first, second), .. Body("abcd")], ErrorKind.CorruptData, "malformed");

    [Theory]
    [InlineData("GNU.sparse.major=2", "form that is not known")]
    [InlineData("GNU.sparse.major=1", "has no size")]
    public void Apply_FormOrSizeMissing_CorruptData(string record, string why) => Refused(
        [.. Pax(record), .. Header("f", 512), .. Encoding.ASCII.GetBytes("0\n".PadRight(512, '\0'))], ErrorKind.CorruptData, why);

    [Fact]
    public void Apply_MoreSegmentsThanTheLimit_LimitExceeded()
    {
        var limit = new LayerLimits { MaxSparseSegments = 1 };
        Refused(WithMap("2\n0\n2\n4\n2\n", "abcd"), ErrorKind.LimitExceeded, "segments", limit);
        Refused(WithMap("9223372036854775807\n", "abcd"), ErrorKind.LimitExceeded, "segments");
        Refused(
            [.. Pax("GNU.sparse.size=8", "GNU.sparse.map=0,2,4,2"), .. Body("abcd")], ErrorKind.LimitExceeded, "segments", limit);
    }

    [Fact]
    public void Apply_NegativeRealSize_CorruptData() => Refused(
        [.. Pax("GNU.sparse.size=-1", "GNU.sparse.map=0,4"), .. Body("abcd")], ErrorKind.CorruptData, "size is negative");

    [Fact]
    public void Apply_OldGnuMapWithoutEnd_LimitExceeded()
    {
        var block = new byte[RawTar.Block];
        block.AsSpan().Fill((byte)'0');
        byte[] archive =
        [
            .. RawTar.Entry("f", 'S', [], magic: RawTar.Gnu, fields: (OldGnuExtended, [1])),
            .. Enumerable.Repeat(block, 10).SelectMany(bytes => bytes),
        ];

        Refused(archive, ErrorKind.LimitExceeded, "segments", new LayerLimits { MaxSparseSegments = 100 });
        Refused(archive, ErrorKind.CorruptData, "cut short");
    }

    [Fact]
    public void Apply_NameAndRealSizeInRecords_WinOverTheHeader()
    {
        var target = Apply(
            [.. Pax("GNU.sparse.name=real", "GNU.sparse.realsize=8", "GNU.sparse.numblocks=1", "GNU.sparse.map=2,4"), .. Body("abcd")]);

        Assert.Equal("\0\0abcd\0\0"u8, File.ReadAllBytes(Path.Combine(target, "real")));
    }

    [Fact]
    public void Apply_RealSizeOverTheLimit_LimitExceeded()
    {
        var archive = Pax("GNU.sparse.size=4611686018427387904", "GNU.sparse.numblocks=1", "GNU.sparse.map=0,0")
            .Concat(Header("f", 0)).Concat(new byte[1024]).ToArray();

        Assert.Equal(ErrorKind.LimitExceeded, Assert.Throws<ImageStoreException>(() => Apply(archive)).Kind);
    }

    private void Refused(byte[] archive, ErrorKind kind, string why, LayerLimits? limits = null)
    {
        var error = Assert.Throws<ImageStoreException>(() => Apply(archive, limits));

        Assert.Equal(kind, error.Kind);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    private static byte[] Body(string text) =>
        [.. RawTar.Entry("f", '0', Encoding.ASCII.GetBytes(text)), .. RawTar.End];

    private static byte[] WithMap(string map, string data)
    {
        var body = new byte[1024];
        Encoding.ASCII.GetBytes(map, body);
        Encoding.ASCII.GetBytes(data, body.AsSpan(512));
        return
        [
            .. Pax("GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=f", "GNU.sparse.realsize=8"),
            .. Header("GNUSparseFile.0/f", 512 + data.Length), .. body, .. RawTar.End,
        ];
    }

    private static byte[] Pax(params string[] records) => RawTar.Pax('x', records);

    private static byte[] Header(string name, long size) =>
        RawTar.Entry(name, '0', [], fields: (SizeField, RawTar.Octal(size, 11)));

    private static void Make(string path, long size, params long[] offsets)
    {
        using var stream = File.Create(path);
        foreach (var offset in offsets)
        {
            stream.Position = offset;
            stream.Write("data"u8);
        }

        stream.SetLength(size);
    }

    private static long Blocks(string path) =>
        long.Parse(Run("stat", "-c", "%b", path), System.Globalization.CultureInfo.InvariantCulture);

    private static byte[] Tar(string[] arguments)
    {
        Assert.SkipUnless(
            Encoding.UTF8.GetString(Run("tar", "--version")).Contains("GNU tar", StringComparison.Ordinal), "needs GNU tar");
        return Run("tar", arguments);
    }

    private static byte[] Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        using var bytes = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(bytes);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return bytes.ToArray();
    }

    private string Apply(byte[] archive, LayerLimits? limits = null)
    {
        var target = Directory.CreateDirectory(Path.Combine(_work, "target")).FullName;
        _bench.Apply(new MemoryStream(archive), LayerCompression.None, target, limits ?? new LayerLimits());
        return target;
    }
}
