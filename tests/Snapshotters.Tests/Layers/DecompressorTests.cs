using System.Buffers.Binary;
using System.IO.Compression;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using ZstdSharp;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Members, frames and what stands between them: all of it is read, and what is cut or damaged is never an early end.</summary>
public sealed class DecompressorTests : IDisposable
{
    private static readonly byte[] s_tar = [.. RawTar.Entry("f", '0', "text"u8.ToArray()), .. RawTar.Entry("d/g", '0', new byte[3000]), .. RawTar.End];
    private const int Last = 72;
    private readonly string _work = Directory.CreateTempSubdirectory("inflate-").FullName;
    private int _made;

    public DecompressorTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    public static TheoryData<string> Forms => ["plain", "gzip", "gzip members", "gzip fields", "zstd", "zstd frames", "zstd skippable", "zstd without size"];

    public void Dispose() => TreeRemover.RemoveTree(_work);

    [Theory]
    [MemberData(nameof(Forms))]
    public void Apply_EachForm_IsTheSameTar(string form)
    {
        var (applied, directory) = Apply(Packed(form));

        Assert.Equal(Digest.Compute(s_tar), applied.DiffId);
        Assert.Equal("text", File.ReadAllText(Path.Combine(directory, "f")));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("gzip members")]
    [InlineData("zstd")]
    [InlineData("zstd frames")]
    [InlineData("zstd skippable")]
    public void Apply_CutAnywhere_IsAnErrorOrAnotherDiffId(string form)
    {
        var packed = Packed(form);
        for (var length = 1; length < packed.Length; length++)
        {
            if (form == "zstd skippable" && length == packed.Length - Last)
            {
                // All is there but for the frame that holds nothing.
                continue;
            }

            try
            {
                // Between two members or frames a stream may end; what is missing shows in the digest.
                Assert.NotEqual(Digest.Compute(s_tar), Apply(packed[..length]).Applied.DiffId);
                Assert.Contains("s", form, StringComparison.Ordinal);
            }
            catch (ImageStoreException error)
            {
                Assert.Equal(ErrorKind.CorruptData, error.Kind);
            }
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("gzip members")]
    [InlineData("zstd")]
    [InlineData("zstd frames")]
    public void Apply_BytesAfterTheEnd_CorruptData(string form)
    {
        foreach (var rest in new byte[][] { [1], [0, 0, 0, 0], "garbage"u8.ToArray(), [0x1f], [0x1f, 0x8b, 8] })
        {
            Assert.Equal(ErrorKind.CorruptData, Assert.Throws<ImageStoreException>(() => Apply([.. Packed(form), .. rest])).Kind);
        }
    }

    [Fact]
    public void Apply_GzipWithAWrongSum_CorruptData()
    {
        var packed = Packed("gzip");
        for (var at = packed.Length - 8; at < packed.Length; at++)
        {
            var wrong = packed.ToArray();
            wrong[at] ^= 1;
            Assert.Equal(ErrorKind.CorruptData, Assert.Throws<ImageStoreException>(() => Apply(wrong)).Kind);
        }
    }

    [Fact]
    public void Apply_ZstdWithAWrongSum_CorruptData()
    {
        using var compressor = new Compressor();
        compressor.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        var packed = compressor.Wrap(s_tar).ToArray();
        packed[^1] ^= 1;

        Assert.Equal(ErrorKind.CorruptData, Assert.Throws<ImageStoreException>(() => Apply(packed)).Kind);
    }

    [Theory]
    [InlineData(17, true)]
    [InlineData(18, false)]
    public void Apply_ZstdWindow_UpTo128MiB(int exponent, bool fits)
    {
        // A frame that only declares its window, 2^(10+exponent), and has one raw block.
        byte[] packed = [0x28, 0xb5, 0x2f, 0xfd, 0, (byte)(exponent << 3), .. Block(s_tar)];
        if (fits)
        {
            Assert.Equal(Digest.Compute(s_tar), Apply(packed).Applied.DiffId);
        }
        else
        {
            Assert.Equal(ErrorKind.CorruptData, Assert.Throws<ImageStoreException>(() => Apply(packed)).Kind);
        }
    }

    [Theory]
    [InlineData("fd377a585a00", "xz")]
    [InlineData("425a6839", "bzip2")]
    public void Detect_WhatNoLayerHas_IsNamed(string head, string name) =>
        Assert.Contains(name, Assert.Throws<ImageStoreException>(() => LayerDecompressor.Detect(Convert.FromHexString(head))).Message, StringComparison.Ordinal);

    private static byte[] Packed(string form) => form switch
    {
        "plain" => s_tar,
        "gzip" => Gzip(s_tar),
        "gzip members" => [.. Gzip(s_tar[..100]), .. Gzip([]), .. Gzip(s_tar[100..2000]), .. Gzip(s_tar[2000..])],
        "gzip fields" => [.. Named(Gzip(s_tar[..700])), .. Named(Gzip(s_tar[700..]))],
        "zstd" => Zstd(s_tar),
        "zstd frames" => [.. Zstd(s_tar[..100]), .. Zstd([]), .. Zstd(s_tar[100..2000]), .. Zstd(s_tar[2000..])],
        "zstd skippable" => [.. Skippable(0, 5), .. Zstd(s_tar[..1000]), .. Skippable(15, 0), .. Skippable(3, 300), .. Zstd(s_tar[1000..]), .. Skippable(7, Last - 8)],
        _ => [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, .. Block(s_tar)],
    };

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        // .NET writes nothing for nothing.
        return bytes.Length > 0 ? packed.ToArray() : [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    }

    // Extra field, name and comment between the header and the data.
    private static byte[] Named(byte[] member) =>
        [.. member[..3], 0x1c, .. member[4..10], 4, 0, 1, 2, 3, 4, .. "layer.tar\0a comment\0"u8, .. member[10..]];

    private static byte[] Zstd(byte[] bytes)
    {
        using var compressor = new Compressor();
        return compressor.Wrap(bytes).ToArray();
    }

    private static byte[] Skippable(int number, int length)
    {
        var frame = new byte[8 + length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, 0x184D2A50 + number);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), length);
        return frame;
    }

    private static byte[] Block(byte[] raw)
    {
        var header = 1 | (raw.Length << 3);
        return [(byte)header, (byte)(header >> 8), (byte)(header >> 16), .. raw];
    }

    private (AppliedLayer Applied, string Directory) Apply(byte[] packed)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_work, $"{_made++}")).FullName;
        return (StackBench.Apply(new DirectoryBench(), packed, directory, []), directory);
    }
}
