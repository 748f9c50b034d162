using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Tests.Support;
using ImageStore.Distribution.Transfer;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Tests.Archives;

/// <summary>Archives that are written, read back and damaged.</summary>
public sealed class ArchiveTests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-archives-");
    private readonly Descriptor _index;

    public ArchiveTests() => _index = TestImages.WriteIndex(In("layout"), "linux/amd64", "linux/arm64");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _work.Delete(recursive: true);

    [Theory]
    [InlineData("a.tar")]
    [InlineData("a.tar.gz")]
    [InlineData("a.tar.zst")]
    public async Task Write_ReadBack_IsTheSameImage(string file)
    {
        await ArchiveAsync(file);

        await using var archive = await ImageArchive.OpenAsync(In(file), null, Ct);
        var image = Assert.Single(archive.Images);
        Assert.Equal((TestImages.Name, _index.Digest), (image.Name, image.Target.Digest));
        var back = await CopyAsync(archive, OciLayoutTarget.Open(In("back")), new CopyOptions());
        Assert.Equal(_index.Digest, back.Target.Digest);
        Assert.Equal(BlobsOf("layout"), BlobsOf("back"));
    }

    [Fact]
    public async Task Write_Twice_IsTheSameBytes()
    {
        await ArchiveAsync("a.tar");
        await Task.Delay(1100, Ct); // a tar's times have seconds
        await ArchiveAsync("b.tar");

        Assert.Equal(await File.ReadAllBytesAsync(In("a.tar"), Ct), await File.ReadAllBytesAsync(In("b.tar"), Ct));
    }

    [Fact]
    public async Task Read_FromAStream_NeedsNoSeeking()
    {
        await ArchiveAsync("a.tar.gz");
        await using var pipe = new GZipStream(new MemoryStream(Gzip(await File.ReadAllBytesAsync(In("a.tar.gz"), Ct))), CompressionMode.Decompress);

        await using var archive = await ImageArchive.OpenAsync("-", pipe, Ct);

        Assert.Single(archive.Images);
    }

    [Fact]
    public async Task Write_Fails_LeavesNoFileAndTheOldOne()
    {
        await File.WriteAllTextAsync(In("a.tar"), "old", Ct);
        var target = OciArchiveTarget.ToFile(In("a.tar"));
        await target.PutManifestAsync(await FetchAsync(_index), TestImages.Name, Ct);
        await target.DisposeAsync();

        Assert.Equal("old", await File.ReadAllTextAsync(In("a.tar"), Ct));
        Assert.Equal(["a.tar", "layout"], Directory.EnumerateFileSystemEntries(_work.FullName).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Write_OneBlobIsWrong_TheOthersAreKept()
    {
        var good = TestImages.Blob(In("layout"), "good"u8.ToArray(), MediaTypes.OciLayer);
        await using (var target = OciArchiveTarget.ToFile(In("a.tar")))
        {
            var failure = await Assert.ThrowsAsync<ImageStoreException>(() => target.PutBlobAsync(
                good, (_, _) => Task.FromResult<Stream>(new MemoryStream("evil"u8.ToArray())), null, Ct));
            Assert.Equal(ErrorKind.CorruptData, failure.Kind);
            await target.PutBlobAsync(good, (_, _) => Task.FromResult<Stream>(new MemoryStream("good"u8.ToArray())), null, Ct);
            await target.PutManifestAsync(await FetchAsync(_index), TestImages.Name, Ct);
            await target.CompleteAsync(Ct);
        }

        await using var archive = await ImageArchive.OpenAsync(In("a.tar"), null, Ct);
        Assert.Equal(_index.Digest, Assert.Single(archive.Images).Target.Digest);
    }

    [Fact]
    public async Task Docker_WriteAndRead_KeepsLayersAndNames()
    {
        var result = await CopyAsync(
            OciLayoutSource.OpenFolder(In("layout")), DockerArchiveTarget.ToFile(In("d.tar")),
            new CopyOptions { Platforms = [Platform.Parse("linux/arm64")] });

        await using var archive = await ImageArchive.OpenAsync(In("d.tar"), null, Ct);
        Assert.IsType<DockerSaveSource>(archive);
        var image = Assert.Single(archive.Images);
        Assert.Equal(TestImages.Name, image.Name);
        var links = DocumentLinks.Parse((await archive.FetchManifestAsync(image.Target, Ct)).Bytes, image.Target.MediaType);
        var original = DocumentLinks.Parse((await FetchAsync(result.Target)).Bytes, MediaTypes.OciManifest);
        Assert.Equal(original.Blobs.Select(blob => blob.Digest), links.Blobs.Select(blob => blob.Digest));
    }

    [Fact]
    public async Task Docker_AnIndex_IsRefusedWithTheWayOut()
    {
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => CopyAsync(
            OciLayoutSource.OpenFolder(In("layout")), DockerArchiveTarget.ToFile(In("d.tar")), new CopyOptions()));

        Assert.Equal(ErrorKind.Unsupported, failure.Kind);
        Assert.Contains("--platform", failure.Remedy, StringComparison.Ordinal);
        Assert.False(File.Exists(In("d.tar")));
    }

    [Fact]
    public async Task Docker_OldestForm_GetsItsConfigFromItsChain()
    {
        WriteTar(
            In("old.tar"),
            ("repositories", """{"registry.example/old":{"1":"bb"}}"""),
            ("aa/json", """{"id":"aa","created":"2014-01-01T00:00:00Z","container_config":{"Cmd":["sh","-c","first"]}}"""),
            ("aa/layer.tar", "layer one"),
            ("bb/json", """{"id":"bb","parent":"aa","architecture":"amd64","os":"linux","config":{"Env":["A=b"]}}"""),
            ("bb/layer.tar", "layer two"));

        await using var archive = await ImageArchive.OpenAsync(In("old.tar"), null, Ct);

        var image = Assert.Single(archive.Images);
        Assert.Equal("registry.example/old:1", image.Name);
        var manifest = OciDocument.ParseManifest((await archive.FetchManifestAsync(image.Target, Ct)).Bytes, image.Target.MediaType);
        Assert.Equal([Digest.Compute("layer one"u8), Digest.Compute("layer two"u8)], manifest.Layers.Select(layer => layer.Digest));
        await using var config = await archive.OpenBlobAsync(manifest.Config, 0, Ct);
        using var text = new StreamReader(config);
        Assert.Contains("A=b", await text.ReadToEndAsync(Ct), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"registry.example/old":{"1":"bb"}}""", """{"id":"bb","parent":"bb"}""", "its own parent")]
    [InlineData("""{"registry.example/old":{"1":"../../etc"}}""", "{}", "malformed")]
    [InlineData("[]", "{}", "malformed")]
    public async Task Docker_OldestFormIsWrong_IsRefused(string repositories, string image, string reason)
    {
        WriteTar(In("old.tar"), ("repositories", repositories), ("bb/json", image), ("bb/layer.tar", "x"));

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => ImageArchive.OpenAsync(In("old.tar"), null, Ct));

        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"Config":"c.json","Layers":["gone.tar"]}]""", "gone.tar")]
    [InlineData("""[{"Config":"gone.json","Layers":[]}]""", "gone.json")]
    [InlineData("""[{"Config":"c.json","Layers":["l.tar","l.tar"]}]""", "")]
    [InlineData("""{"a":1}""", "malformed")]
    [InlineData("""[{"Config":1}]""", "malformed")]
    public async Task Docker_ManifestIsWrong_IsRefused(string manifest, string reason)
    {
        WriteTar(
            In("d.tar"),
            ("manifest.json", manifest),
            ("c.json", $$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["{{Digest.Compute("l"u8)}}"]} }"""),
            ("l.tar", "l"));

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => ImageArchive.OpenAsync(In("d.tar"), null, Ct));

        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../out", "leads out of it")]
    [InlineData("/abs", "leads out of it")]
    [InlineData("a/../../b", "leads out of it")]
    public async Task Tar_EntryLeadsOut_IsRefused(string name, string reason)
    {
        WriteTar(In("bad.tar"), (name, "x"));

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => ImageArchive.OpenAsync(In("bad.tar"), null, Ct));

        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tar_TwoIndexes_AreRefused()
    {
        WriteTar(In("bad.tar"), ("index.json", "{}"), ("index.json", "[]"));

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => ImageArchive.OpenAsync(In("bad.tar"), null, Ct));

        Assert.Contains("twice", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no tar at all, and long enough to be told apart from one that was cut")]
    [InlineData("\u001f\u008b\b\0nothing")]
    public async Task Open_OtherFiles_AreRefused(string text)
    {
        await File.WriteAllBytesAsync(In("bad"), Encoding.Latin1.GetBytes(text), Ct);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => ImageArchive.OpenAsync(In("bad"), null, Ct));

        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Contains("bad", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_CutAnywhere_IsOneOfOurErrors()
    {
        await ArchiveAsync("a.tar");
        var bytes = await File.ReadAllBytesAsync(In("a.tar"), Ct);
        for (var length = 1; length < bytes.Length - 1024; length += 509)
        {
            await File.WriteAllBytesAsync(In("cut.tar"), bytes[..length], Ct);

            await Assert.ThrowsAsync<ImageStoreException>(async () =>
            {
                await using var archive = await ImageArchive.OpenAsync(In("cut.tar"), null, Ct);
                await CopyAsync(archive, OciArchiveTarget.ToStream(Stream.Null), new CopyOptions());
            });
        }
    }

    [Theory]
    [InlineData("""{"imageLayoutVersion":"2.0.0"}""", ErrorKind.Unsupported)]
    [InlineData("""{}""", ErrorKind.CorruptData)]
    [InlineData("zzz", ErrorKind.CorruptData)]
    public void Layout_OtherVersion_IsRefused(string marker, ErrorKind kind)
    {
        File.WriteAllText(In("layout/oci-layout"), marker);

        Assert.Equal(kind, Assert.Throws<ImageStoreException>(() => OciLayoutSource.OpenFolder(In("layout"))).Kind);
    }

    [Fact]
    public void Layout_FolderHoldsOtherThings_IsNotWrittenTo()
    {
        Directory.CreateDirectory(In("mine"));
        File.WriteAllText(In("mine/file"), "x");

        Assert.Equal(ErrorKind.FailedPrecondition, Assert.Throws<ImageStoreException>(() => OciLayoutTarget.Open(In("mine"))).Kind);
    }

    [Fact]
    public async Task Layout_LinkLeadsOut_IsNotFollowed()
    {
        var manifest = await FetchAsync(_index);
        var path = In("layout/" + OciLayoutSource.BlobFile(_index.Digest));
        File.WriteAllBytes(In("outside"), manifest.Bytes.ToArray());
        File.Delete(path);
        File.CreateSymbolicLink(path, In("outside"));

        await Assert.ThrowsAsync<ImageStoreException>(() => FetchAsync(_index));
    }

    [Fact]
    public async Task Layout_NameMoves_TheOldImageKeepsNoName()
    {
        var other = TestImages.WriteIndex(In("other"), "linux/riscv64");
        await CopyAsync(OciLayoutSource.OpenFolder(In("other")), OciLayoutTarget.Open(In("layout")), new CopyOptions());

        await using var layout = OciLayoutSource.OpenFolder(In("layout"));
        Assert.Equal(other.Digest, Assert.Single(layout.Images).Target.Digest);
    }

    private async Task ArchiveAsync(string file) =>
        await CopyAsync(OciLayoutSource.OpenFolder(In("layout")), OciArchiveTarget.ToFile(In(file)), new CopyOptions());

    private static async Task<CopyResult> CopyAsync(IImageSource source, IImageTarget target, CopyOptions options)
    {
        await using (source)
        await using (target)
        {
            var root = await source.FindAsync(TestImages.Name, Ct);
            var result = await new ImageCopier(source, target, options, new BlobLocations()).CopyAsync(root!, TestImages.Name, new TransferProgress(), Ct);
            await target.CompleteAsync(Ct);
            return result;
        }
    }

    private async Task<FetchedManifest> FetchAsync(Descriptor descriptor)
    {
        await using var layout = OciLayoutSource.OpenFolder(In("layout"));
        return await layout.FetchManifestAsync(descriptor, Ct);
    }

    private IEnumerable<string> BlobsOf(string layout) =>
        Directory.EnumerateFiles(In($"{layout}/blobs/sha256")).Select(Path.GetFileName).Order(StringComparer.Ordinal)!;

    private static byte[] Gzip(byte[] bytes)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return buffer.ToArray();
    }

    private static void WriteTar(string path, params (string Name, string Text)[] entries)
    {
        using var writer = new TarWriter(File.Create(path), TarEntryFormat.Ustar);
        foreach (var (name, text) in entries)
        {
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
