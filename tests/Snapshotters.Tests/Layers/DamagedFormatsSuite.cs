using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Cut, changed and random archives in each of tar's formats: one error or a clean end, nothing else.</summary>
public abstract class DamagedFormatsSuite : IDisposable
{
    private const int Cases = 500;
    private const int Seed = 11;
    private const int SegmentBytes = 4;
    private readonly string _work = Directory.CreateTempSubdirectory("formats-").FullName;

    private readonly LayerBench _bench;

    protected DamagedFormatsSuite(LayerBench bench)
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
    public void Apply_CutAtABlock_EndsBetweenEntriesAndFailsInside()
    {
        var entries = Entries();
        byte[] whole = [.. entries.SelectMany(entry => entry), .. RawTar.End];
        HashSet<int> clean = [0, whole.Length - RawTar.Block];
        var end = 0;
        foreach (var entry in entries)
        {
            clean.Add(end += entry.Length);
        }

        for (var length = 0; length < whole.Length; length += RawTar.Block)
        {
            Assert.True(clean.Contains(length) == TryApply(whole[..length]), $"cut to {length} of {whole.Length} bytes");
        }
    }

    [Fact]
    public void Apply_BytesChanged_EndsOrFailsOnce()
    {
        var random = new Random(Seed);
        var entries = Entries();
        var refused = 0;
        for (var i = 0; i < Cases; i++)
        {
            var changed = entries.Select(entry => entry.ToArray()).ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                var entry = changed[random.Next(changed.Length)];
                entry[random.Next(entry.Length)] = (byte)random.Next(256);
                RawTar.Seal(entry.AsSpan(0, RawTar.Block), b => b);
            }

            refused += TryApply([.. changed.SelectMany(entry => entry), .. RawTar.End]) ? 0 : 1;
        }

        Assert.InRange(refused, 1, Cases - 1);
    }

    [Fact]
    public void Apply_RandomBytes_FailsOnce()
    {
        var random = new Random(Seed);
        for (var i = 0; i < Cases; i++)
        {
            var bytes = new byte[random.Next(1, 8 * RawTar.Block)];
            random.NextBytes(bytes);
            if (bytes.Length >= RawTar.Block && i % 2 == 0)
            {
                // So that it gets past the checksum, and mostly past the numbers.
                "0000644\00000000\00000000\000000001000\000000000000\0"u8.CopyTo(bytes.AsSpan(100));
                bytes[156] = "0123456LKxgS7"u8[random.Next(13)];
                RawTar.Seal(bytes.AsSpan(0, RawTar.Block), b => b);
            }

            Assert.False(TryApply(bytes), $"case {i} was accepted");
        }
    }

    /// <summary>Each with its extension headers, a global one alone: between two of them an archive may end.</summary>
    private static byte[][] Entries()
    {
        var text = Encoding.ASCII.GetBytes(new string('t', 700));
        var longName = Encoding.ASCII.GetBytes($"{new string('a', 200)}/{new string('b', 200)}\0");
        return
        [
            RawTar.Entry("v7/", '\0', [], magic: RawTar.V7),
            RawTar.Entry("v7/f", '\0', text, magic: RawTar.V7),
            RawTar.Entry("f", '0', text, fields: (345, "prefix"u8.ToArray())),
            [
                .. RawTar.Entry("L", 'L', longName, magic: RawTar.Gnu), .. RawTar.Entry("K", 'K', longName, magic: RawTar.Gnu),
                .. RawTar.Entry("cut", '2', [], "cut", RawTar.Gnu),
            ],
            [.. RawTar.Pax('x', "path=p", "mtime=-1.5", "SCHILY.xattr.user.a=\n\0"), .. RawTar.Entry("cut", '0', text)],
            RawTar.Pax('g', "gid=7"),
            RawTar.Entry("h", '1', [], "p"),
            RawTar.Entry("base", '0', text, fields: [(108, RawTar.Base256(70000, 8)), (136, RawTar.Base256(-5, 12))]),
            OldGnuSparse(40),
            [
                .. RawTar.Pax('x', "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=s1", "GNU.sparse.realsize=900"),
                .. RawTar.Entry("cut", '0', [.. Encoding.ASCII.GetBytes("1\n100\n700\n".PadRight(RawTar.Block, '\0')), .. text]),
            ],
            [
                .. RawTar.Pax('x', "GNU.sparse.size=900", "GNU.sparse.numblocks=1", "GNU.sparse.map=100,700", "GNU.sparse.name=s01"),
                .. RawTar.Entry("cut", '0', text),
            ],
            RawTar.Entry("null", '3', [], fields: [(329, RawTar.Octal(1, 7)), (337, RawTar.Octal(3, 7))]),
            RawTar.Entry("v7/.wh.gone", '0', []),
        ];
    }

    // Four pairs in the header, twenty-one in each block that follows it.
    private static byte[] OldGnuSparse(int segments)
    {
        byte[] Pairs(int first, int count) => [.. Enumerable.Range(first, Math.Max(0, Math.Min(count, segments - first)))
            .SelectMany(i => (byte[])[.. RawTar.Octal(i * 8, 11), 0, .. RawTar.Octal(SegmentBytes, 11), 0])];

        var blocks = new List<byte>();
        for (var first = 4; first < segments; first += 21)
        {
            var block = new byte[RawTar.Block];
            Pairs(first, 21).CopyTo(block, 0);
            block[504] = (byte)(first + 21 < segments ? 1 : 0);
            blocks.AddRange(block);
        }

        var data = new byte[segments * SegmentBytes];
        data.AsSpan().Fill((byte)'d');
        var header = RawTar.Entry(
            "old", 'S', [], magic: RawTar.Gnu, fields:
            [
                (124, RawTar.Octal(data.Length, 11)), (386, Pairs(0, 4)), (482, [1]), (483, RawTar.Octal(segments * 8, 11)),
            ]);
        return [.. header, .. blocks, .. data, .. new byte[-data.Length & (RawTar.Block - 1)]];
    }

    private bool TryApply(byte[] bytes)
    {
        var target = Directory.CreateDirectory(Path.Combine(_work, "in")).FullName;
        try
        {
            _bench.Apply(new MemoryStream(bytes), LayerCompression.None, target, new LayerLimits());
            return true;
        }
        catch (ImageStoreException e)
        {
            Assert.True(e.Kind is not ErrorKind.Internal, e.Message);
            return false;
        }
        finally
        {
            Assert.Equal(["in"], Directory.GetFileSystemEntries(_work).Select(Path.GetFileName));
            TreeRemover.RemoveTree(target);
        }
    }
}
