using System.Buffers;
using System.Text;

namespace ImageStore.Store.Metadata;

/// <summary>Rows of one table as bytes, in the order of their keys; a key leaves out what it shares with the one before.</summary>
/// <remarks>Names of a namespace, and digests, begin alike: a third of a block would be that.</remarks>
internal static class RowBlock
{
    private const int SevenBits = 0x7F;
    private const int More = 0x80;
    private const int MaxShift = 28;

    /// <summary>Writes <paramref name="rows"/>.</summary>
    public static byte[] Encode(IEnumerable<RowChange> rows)
    {
        var writer = new ArrayBufferWriter<byte>();
        var before = Array.Empty<byte>();
        foreach (var row in rows)
        {
            var key = Encoding.UTF8.GetBytes(row.Key);
            var shared = before.AsSpan().CommonPrefixLength(key);
            WriteNumber(writer, shared);
            WriteNumber(writer, key.Length - shared);
            writer.Write(key.AsSpan(shared));
            WriteNumber(writer, row.Value is { } value ? value.Length + 1 : 0);
            writer.Write(row.Value is { } bytes ? bytes.Span : default);
            before = key;
        }

        return writer.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; values are parts of <paramref name="block"/>.</summary>
    /// <exception cref="InvalidDataException">It is no block.</exception>
    public static List<RowChange> Decode(ReadOnlyMemory<byte> block)
    {
        List<RowChange> rows = [];
        var key = new byte[MetadataDb.MaxKeyBytes];
        for (var at = 0; at < block.Length;)
        {
            var shared = ReadNumber(block.Span, ref at);
            var suffix = Take(block, ref at, ReadNumber(block.Span, ref at)).Span;
            if (shared + suffix.Length > key.Length)
            {
                throw new InvalidDataException("A key is too long.");
            }

            suffix.CopyTo(key.AsSpan(shared));
            var length = ReadNumber(block.Span, ref at);
            var name = Encoding.UTF8.GetString(key, 0, shared + suffix.Length);
            rows.Add(length == 0 ? RowChange.Gone(name) : new RowChange(name, Take(block, ref at, length - 1)));
        }

        return rows;
    }

    private static ReadOnlyMemory<byte> Take(ReadOnlyMemory<byte> block, ref int at, int count)
    {
        if (count > block.Length - at)
        {
            throw new InvalidDataException("A row ends beyond its block.");
        }

        at += count;
        return block.Slice(at - count, count);
    }

    private static void WriteNumber(ArrayBufferWriter<byte> writer, int number)
    {
        var rest = (uint)number;
        for (; rest > SevenBits; rest >>= 7)
        {
            writer.Write([(byte)(rest | More)]);
        }

        writer.Write([(byte)rest]);
    }

    private static int ReadNumber(ReadOnlySpan<byte> block, ref int at)
    {
        var number = 0u;
        for (var shift = 0; shift <= MaxShift && at < block.Length; shift += 7)
        {
            var part = block[at++];
            number |= (uint)(part & SevenBits) << shift;
            if (part < More && number <= int.MaxValue)
            {
                return (int)number;
            }
        }

        throw new InvalidDataException("A length is malformed.");
    }
}
