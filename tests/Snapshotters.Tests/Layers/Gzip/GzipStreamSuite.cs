using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers.Gzip;

/// <summary>What every reader of gzip gives and refuses, however its input arrives in pieces.</summary>
public abstract class GzipStreamSuite
{
    private const int Seed = 5;
    private const int HeaderBytes = 10;

    internal abstract ReadOnlyStream Open(Stream compressed);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    [InlineData(int.MaxValue)]
    public void Read_MembersOfEveryKind_GivesWhatWasPacked(int piece)
    {
        byte[] packed = [], plain = [];
        foreach (var (length, level) in new[]
        {
            (0, CompressionLevel.Optimal), (1, CompressionLevel.Optimal), (300_000, CompressionLevel.Fastest), (70_000, CompressionLevel.NoCompression),
            (5, CompressionLevel.NoCompression), (200_000, CompressionLevel.SmallestSize), (0, CompressionLevel.NoCompression),
        })
        {
            var part = Bytes(length);
            packed = [.. packed, .. Pack(part, level)];
            plain = [.. plain, .. part];
        }

        Assert.Equal(plain, Unpack(packed, piece));
    }

    [Fact]
    public void Read_ZerosThatPackAThousandfold_GivesThemAll()
    {
        var plain = new byte[20_000_000];
        Assert.True(Unpack(Pack(plain, CompressionLevel.Optimal), int.MaxValue).AsSpan().SequenceEqual(plain));
    }

    [Fact]
    public void Read_HeaderWithEveryField_SkipsThem()
    {
        var plain = Bytes(1000);
        var packed = Pack(plain, CompressionLevel.Optimal);
        byte[] header = [.. packed[..3], 0x1e, .. packed[4..HeaderBytes], 3, 0, 1, 2, 3, .. "a name\0a comment\0"u8];
        var sum = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(sum, Crc32.HashToUInt32(header));
        Assert.Equal(plain, Unpack([.. header, .. sum[..2], .. packed[HeaderBytes..]], 3));
    }

    [Fact]
    public void Read_TruncatedAnywhere_SaysDamaged()
    {
        var packed = Pack(Bytes(3000), CompressionLevel.Optimal);
        for (var length = 1; length < packed.Length; length++)
        {
            AssertRefused(packed[..length], $"{length} of {packed.Length} bytes");
        }
    }

    [Fact]
    public void Read_TruncatedInALaterMember_SaysDamaged()
    {
        var member = Pack(Bytes(300), CompressionLevel.Optimal);
        for (var length = 1; length < member.Length; length++)
        {
            AssertRefused([.. member, .. member[..length]], $"a member and {length} of {member.Length} bytes");
        }
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    [InlineData("\x1f")]
    public void Read_BytesAfterItsEnd_SaysDamaged(string after) =>
        AssertRefused([.. Pack(Bytes(300), CompressionLevel.Optimal), .. Encoding.Latin1.GetBytes(after)], after);

    [Fact]
    public void Read_ChecksumOrLengthChanged_SaysDamaged()
    {
        var packed = Pack(Bytes(3000), CompressionLevel.Optimal);
        for (var i = 1; i <= 8; i++)
        {
            byte[] changed = [.. packed];
            changed[^i] ^= 0x10;
            AssertRefused(changed, $"trailer byte {i}");
        }
    }

    [Fact]
    public void Read_BitsChanged_NeverGivesOtherBytes()
    {
        var plain = Bytes(3000);
        var packed = Pack(plain, CompressionLevel.Optimal);
        for (var bit = 0; bit < packed.Length * 8; bit++)
        {
            byte[] changed = [.. packed];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                // The header's time and system may be anything.
                Assert.Equal(plain, Unpack(changed, 500));
            }
            catch (Exception e) when (IsRefusal(e))
            {
            }
        }
    }

    private static byte[] Bytes(int length)
    {
        var random = new Random(Seed + length);
        var bytes = new byte[length];
        for (var at = 0; at < length;)
        {
            // Runs and copies beside what does not repeat, so that blocks of every kind come about.
            var run = Math.Min(length - at, random.Next(1, 400));
            if (random.Next(3) == 0)
            {
                random.NextBytes(bytes.AsSpan(at, run));
            }
            else if (at > 0 && random.Next(2) == 0)
            {
                var from = random.Next(Math.Max(0, at - 32_768), at);
                for (var i = 0; i < run; i++)
                {
                    bytes[at + i] = bytes[from + i];
                }
            }

            at += run;
        }

        return bytes;
    }

    private static byte[] Pack(byte[] plain, CompressionLevel level)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, level, leaveOpen: true))
        {
            gzip.Write(plain);
            // Without a byte written no header is, either.
            gzip.Flush();
        }

        return packed.Length > 0 ? packed.ToArray() : [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    }

    private static bool IsRefusal(Exception e) => e is InvalidDataException or ImageStoreException { Kind: ErrorKind.CorruptData };

    private byte[] Unpack(byte[] packed, int piece)
    {
        using var stream = Open(new Pieces(new MemoryStream(packed), piece));
        using var all = new MemoryStream();
        var buffer = new byte[100_000];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            all.Write(buffer, 0, read);
        }

        return all.ToArray();
    }

    private void AssertRefused(byte[] packed, string what)
    {
        var failure = Record.Exception(() => Unpack(packed, 500));
        Assert.True(failure is not null && IsRefusal(failure), $"{what}: {failure}");
    }

    private sealed class Pieces(Stream inner, int piece) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer) => inner.Read(buffer[..Math.Min(piece, buffer.Length)]);
    }
}
