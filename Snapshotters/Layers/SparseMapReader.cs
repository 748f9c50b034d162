using System.Buffers.Text;
using System.Text;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Reads the maps of sparse files in the forms that GNU tar writes: old GNU, PAX 0.0, 0.1 and 1.0.</summary>
internal static class SparseMapReader
{
    private const int Block = 512;
    private const int Pair = 24;
    private const int NumberBytes = 12;
    private const int HeaderPairs = 4;
    private const int HeaderMap = 386;
    private const int HeaderExtended = 482;
    private const int HeaderRealSize = 483;
    private const int ExtensionPairs = 21;
    private const int ExtensionExtended = 504;

    /// <summary>Does the entry with these PAX records hold a sparse file?</summary>
    public static bool IsIn(Dictionary<string, byte[]> pax) =>
        pax.ContainsKey("GNU.sparse.major") || pax.ContainsKey(PaxRecords.SparseMapKey);

    /// <summary>The old GNU form: in the header of type <c>S</c> and in blocks that follow it.</summary>
    public static SparseMap ReadOldGnu(ReadOnlySpan<byte> header, InflateRing input, long size, LayerLimits limits)
    {
        List<(long, long)> segments = [];
        AddPairs(header[HeaderMap..], HeaderPairs, segments);
        var block = new byte[Block];
        for (var more = header[HeaderExtended] != 0; more; more = block[ExtensionExtended] != 0)
        {
            SparseMap.Count(segments.Count, limits);
            Fill(input, block);
            AddPairs(block, ExtensionPairs, segments);
        }

        return SparseMap.Checked(TarNumber.Parse(header.Slice(HeaderRealSize, NumberBytes)), segments, size, limits);
    }

    /// <summary>The PAX forms; 1.0 has its map before the data, which makes <paramref name="size"/> smaller.</summary>
    public static SparseMap ReadPax(Dictionary<string, byte[]> pax, InflateRing input, ref long size, LayerLimits limits)
    {
        if (!pax.TryGetValue("GNU.sparse.major", out var major) || PaxRecords.Integer(major) == 0)
        {
            var segments = ReadRecord(pax);
            return pax.TryGetValue("GNU.sparse.numblocks", out var count) && PaxRecords.Integer(count) != segments.Count
                ? throw LayerFault.Corrupt("a sparse file's map has not as many segments as it says.")
                : SparseMap.Checked(RealSize(pax), segments, size, limits);
        }

        if (PaxRecords.Integer(major) != 1)
        {
            throw LayerFault.Corrupt("a sparse file has a form that is not known.");
        }

        var prefix = ReadPrefix(input, ref size, limits);
        return SparseMap.Checked(RealSize(pax), prefix, size, limits);
    }

    private static List<(long, long)> ReadRecord(Dictionary<string, byte[]> pax) =>
        pax.TryGetValue(PaxRecords.SparseMapKey, out var text)
            ? Pairs([.. Encoding.Latin1.GetString(text).Split(',').Select(number => PaxRecords.Integer(Encoding.Latin1.GetBytes(number)))])
            : [];

    // Decimal numbers, each with a line feed: how many pairs, then the pairs; filled up to whole blocks.
    private static List<(long, long)> ReadPrefix(InflateRing input, ref long size, LayerLimits limits)
    {
        List<long> numbers = [];
        List<byte> digits = [];
        var block = new byte[Block];
        for (var read = 0; ;)
        {
            read += Block;
            size -= size >= Block ? Block : throw LayerFault.Corrupt("a sparse file's map is cut short.");
            if (read > limits.MaxHeaderBytes)
            {
                throw LayerFault.Limit("bytes of a sparse file's map", limits.MaxHeaderBytes, LayerLimits.Keys.HeaderBytes);
            }

            Fill(input, block);
            foreach (var b in block)
            {
                if (b != (byte)'\n')
                {
                    digits.Add(b);
                    continue;
                }

                numbers.Add(Number(digits));
                digits.Clear();
                SparseMap.Count(numbers[0], limits);
                if ((numbers.Count - 1) / 2 == numbers[0])
                {
                    return Pairs(numbers[1..]);
                }
            }
        }
    }

    private static long Number(List<byte> digits) =>
        Utf8Parser.TryParse(digits.ToArray(), out long value, out var used) && used == digits.Count && value >= 0
            ? value : throw LayerFault.Corrupt("a sparse file's map is malformed.");

    private static List<(long, long)> Pairs(List<long> numbers) =>
        numbers.Count % 2 == 0
            ? [.. numbers.Chunk(2).Select(pair => (pair[0], pair[1]))]
            : throw LayerFault.Corrupt("a sparse file's map is malformed.");

    // The forms differ in the key, and writers mix them.
    private static long RealSize(Dictionary<string, byte[]> pax) =>
        pax.TryGetValue("GNU.sparse.realsize", out var text) || pax.TryGetValue("GNU.sparse.size", out text)
            ? PaxRecords.Integer(text) : throw LayerFault.Corrupt("a sparse file has no size.");

    private static void AddPairs(ReadOnlySpan<byte> fields, int count, List<(long, long)> segments)
    {
        for (var i = 0; i < count && fields[i * Pair] != 0; i++)
        {
            var pair = fields.Slice(i * Pair, Pair);
            segments.Add((TarNumber.Parse(pair[..NumberBytes]), TarNumber.Parse(pair[NumberBytes..])));
        }
    }

    private static void Fill(InflateRing input, byte[] block)
    {
        if (!input.Fill(block))
        {
            throw LayerFault.Corrupt("a sparse file's map is cut short.");
        }
    }
}
