using System.Formats.Tar;
using System.IO.Compression;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Snapshotters.Tests.Layers;

public abstract class LayerApplierSuite : IDisposable
{
    private static readonly LayerFormat s_format = new("trusted.overlay.opaque");
    private readonly string _root = Directory.CreateTempSubdirectory("layer-").FullName;
    private readonly string _layer;

    private readonly LayerBench _bench;

    protected LayerApplierSuite(LayerBench bench)
    {
        _bench = bench;
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _layer = Directory.CreateDirectory(Path.Combine(_root, "layer")).FullName;
    }

    public void Dispose()
    {
        _bench.Dispose();
        TreeRemover.RemoveTree(_root);
        GC.SuppressFinalize(this);
    }

    private static byte[] Tar(params (TarEntryType Type, string Name, string Text)[] entries)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, leaveOpen: true))
        {
            foreach (var (type, name, text) in entries)
            {
                var entry = new PaxTarEntry(type, name) { Mode = (UnixFileMode)0x1ED };
                if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                {
                    entry.LinkName = text;
                }
                else if (type == TarEntryType.RegularFile)
                {
                    entry.DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
                }

                tar.WriteEntry(entry);
            }
        }

        return bytes.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.Fastest, true))
        {
            gzip.Write(bytes);
        }

        return result.ToArray();
    }

    private AppliedLayer Apply(byte[] bytes) => _bench.Apply(new MemoryStream(bytes), LayerDecompressor.Detect(bytes), _layer, new LayerLimits());

    private ErrorKind Fails(byte[] bytes) => Assert.Throws<ImageStoreException>(() => Apply(bytes)).Kind;

    [Fact]
    public void Apply_GzipMembersWithTrailingBytes_DiffIdCoversAll()
    {
        var tar = Tar((TarEntryType.Directory, "./d/", ""), (TarEntryType.RegularFile, "d/f", "hello"));
        byte[] all = [.. tar, 1, 2, 3];
        var layer = Apply([.. Gzip(all[..700]), .. Gzip(all[700..])]);
        Assert.Equal(Digest.Compute(all), layer.DiffId);
        Assert.Equal("hello", File.ReadAllText(Path.Combine(_layer, "d/f")));
    }

    [Fact]
    public void Apply_TruncatedGzip_CorruptData()
    {
        var gzip = Gzip(Tar((TarEntryType.RegularFile, "f", "hello")));
        foreach (var cut in new[] { 1, 4, 8, 20 })
        {
            TreeRemover.RemoveTree(_layer);
            Directory.CreateDirectory(_layer);
            Assert.Equal(ErrorKind.CorruptData, Fails(gzip[..^cut]));
        }
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData(".wh.")]
    [InlineData(".wh...")]
    public void Apply_EscapingOrInvalidName_CorruptData(string name) =>
        Assert.Equal(ErrorKind.CorruptData, Fails(Tar((TarEntryType.RegularFile, name, "x"))));

    [Fact]
    public void Apply_FileThroughClimbingSymlink_StaysInRoot()
    {
        Apply(Tar((TarEntryType.Directory, "in", ""), (TarEntryType.SymbolicLink, "l", "../../../in"), (TarEntryType.RegularFile, "l/f", "x")));
        Assert.Equal("x", File.ReadAllText(Path.Combine(_layer, "in/f")));
    }

    [Fact]
    public void Merge_WhiteoutAndOwnFile_OnlyLowerNameGoes()
    {
        var target = Directory.CreateDirectory(Path.Combine(_root, "target")).FullName;
        _bench.Apply(
            new MemoryStream(Tar((TarEntryType.RegularFile, "gone", "old"), (TarEntryType.RegularFile, "kept", "old"))), LayerCompression.None, target, new LayerLimits());
        var layer = Apply(Tar(
            (TarEntryType.RegularFile, "kept", "new"), (TarEntryType.RegularFile, ".wh.kept", ""),
            (TarEntryType.RegularFile, ".wh.gone", ""), (TarEntryType.RegularFile, "a/b", "x")));
        _bench.Settle(layer, _layer, [target]);
        LayerMerger.MergeOnto(_layer, target, s_format, CancellationToken.None);
        Assert.False(File.Exists(Path.Combine(target, "gone")));
        Assert.Equal("new", File.ReadAllText(Path.Combine(target, "kept")));
        Assert.Equal("x", File.ReadAllText(Path.Combine(target, "a/b")));
        Assert.Equal(["", "a"], layer.ImpliedDirectories);
    }

    [Fact]
    public void Apply_BadChecksum_CorruptData()
    {
        var tar = Tar((TarEntryType.RegularFile, "f", "x"));
        tar[0] ^= 1;
        Assert.Equal(ErrorKind.CorruptData, Fails(tar));
    }
}
