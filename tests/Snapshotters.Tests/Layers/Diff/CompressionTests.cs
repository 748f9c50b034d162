using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers.Diff;

/// <summary>What several threads compress is what one would, and what the usual tools read.</summary>
public sealed class CompressionTests : IDisposable
{
    private const int MostWorkers = 7;

    private readonly string _work = Directory.CreateTempSubdirectory("compress-").FullName;

    public static TheoryData<string, double, bool> Cases
    {
        get
        {
            TheoryData<string, double, bool> cases = [];
            foreach (var compression in new[] { "gzip:1", "gzip", "gzip:9", "zstd:1", "zstd", "zstd:12" })
            {
                foreach (var blocks in new[] { 0, 0.001, 1, 2, 3.7 })
                {
                    cases.Add(compression, blocks, false);
                    cases.Add(compression, blocks, true);
                }
            }

            return cases;
        }
    }

    public void Dispose() => Directory.Delete(_work, recursive: true);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Compress_WithAnyNumberOfWorkers_GivesTheSameBytesThatToolsRead(string compression, double blocks, bool isRandom)
    {
        var choice = CompressionChoice.Parse(compression);
        using var format = Format(choice);
        var content = Content((int)(blocks * format.BlockBytes), isRandom);
        var packed = Compress(choice, content, 1);

        Assert.Equal(packed, Compress(choice, content, 2));
        Assert.Equal(packed, Compress(choice, content, MostWorkers));
        using var unpacked = new MemoryStream();
        using (var source = LayerDecompressor.Open(new MemoryStream(packed), choice.Kind))
        {
            source.CopyTo(unpacked);
        }

        Assert.True(unpacked.ToArray().AsSpan().SequenceEqual(content));
        var file = Path.Combine(_work, choice.Kind == LayerCompression.Gzip ? "a.gz" : "a.zst");
        File.WriteAllBytes(file, packed);
        var tool = choice.Kind == LayerCompression.Gzip ? "gzip" : "zstd";
        Assert.SkipUnless(DiffBench.Run("sh", "-c", $"command -v {tool}").Code == 0, $"needs {tool}");
        var (code, output) = DiffBench.Run(tool, "-t", file);
        Assert.True(code == 0, output);
        Assert.Equal(0, DiffBench.Run(tool, "-d", "-k", file).Code);
        Assert.True(File.ReadAllBytes(Path.Combine(_work, "a")).AsSpan().SequenceEqual(content));
    }

    [Fact]
    public void Compress_ToAnOutputThatFails_FailsAndEnds()
    {
        using var compressor = new ParallelCompressor(new FullStream(), new GzipFormat(1), 3, CancellationToken.None);
        Assert.Throws<IOException>(() =>
        {
            compressor.Write(Content(20 << 20, isRandom: true));
            compressor.Finish();
        });
    }

    [Fact]
    public void Compress_Cancelled_Ends()
    {
        using var stop = new CancellationTokenSource();
        using var compressor = new ParallelCompressor(new MemoryStream(), new ZstdFormat(1), 2, stop.Token);
        compressor.Write(Content(10 << 20, isRandom: false));
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => compressor.Write(Content(10 << 20, isRandom: false)));
    }

    [Theory]
    [InlineData("gzip", "gzip:6")]
    [InlineData("gzip:9", "gzip:9")]
    [InlineData("zstd", "zstd:3")]
    [InlineData("zstd:22", "zstd:22")]
    [InlineData("none", "none")]
    public void Parse_OfAChoice_IsReadBack(string text, string expected) => Assert.Equal(expected, CompressionChoice.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("xz")]
    [InlineData("gzip:")]
    [InlineData("gzip:0")]
    [InlineData("gzip:10")]
    [InlineData("zstd:23")]
    [InlineData("zstd:-1")]
    [InlineData("zstd: 3")]
    [InlineData("none:1")]
    [InlineData("GZIP")]
    public void Parse_OfAnythingElse_IsRefused(string text) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => CompressionChoice.Parse(text)).Kind);

    private static BlockFormat Format(CompressionChoice choice) =>
        choice.Kind == LayerCompression.Gzip ? new GzipFormat(choice.Level) : new ZstdFormat(choice.Level);

    private static byte[] Compress(CompressionChoice choice, byte[] content, int workers)
    {
        using var output = new MemoryStream();
        using var compressor = new ParallelCompressor(output, Format(choice), workers, CancellationToken.None);
        for (var at = 0; at < content.Length; at += 100_000)
        {
            compressor.Write(content.AsSpan(at, Math.Min(100_000, content.Length - at)));
        }

        compressor.Finish();
        return output.ToArray();
    }

    private static byte[] Content(int length, bool isRandom)
    {
        var bytes = new byte[length];
        var random = new Random(length);
        if (isRandom)
        {
            random.NextBytes(bytes);
            return bytes;
        }

        var words = Enumerable.Range(0, 500).Select(_ => Encoding.ASCII.GetBytes(random.Next(100_000) + " ")).ToArray();
        for (var at = 0; at < length;)
        {
            var word = words[random.Next(words.Length)].AsSpan();
            word = word[..Math.Min(word.Length, length - at)];
            word.CopyTo(bytes.AsSpan(at));
            at += word.Length;
        }

        return bytes;
    }

    private sealed class FullStream : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Position + buffer.Length > 3_000_000)
            {
                throw new IOException("full");
            }

            base.Write(buffer);
        }
    }
}
