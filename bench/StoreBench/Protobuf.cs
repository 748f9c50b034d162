using System.Buffers;
using System.Text;

namespace ImageStore.StoreBench;

/// <summary>A message of the API in the making, field by field.</summary>
internal sealed class Protobuf
{
    private const int Varint = 0;
    private const int Delimited = 2;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    public Protobuf Text(int field, string value) => Block(field, Encoding.UTF8.GetBytes(value));

    public Protobuf Part(int field, Protobuf part) => Block(field, part.Bytes);

    public Protobuf Number(int field, ulong value)
    {
        Write((ulong)(field << 3 | Varint));
        Write(value);
        return this;
    }

    public Protobuf Block(int field, ReadOnlySpan<byte> value)
    {
        Write((ulong)(field << 3 | Delimited));
        Write((ulong)value.Length);
        _bytes.Write(value);
        return this;
    }

    /// <summary>The first field of that number in <paramref name="message"/>, which has only fields with a length before it.</summary>
    public static ReadOnlySpan<byte> Part(ReadOnlySpan<byte> message, int field)
    {
        while (!message.IsEmpty)
        {
            var tag = Read(ref message);
            var length = (int)Read(ref message);
            if (tag == (ulong)(field << 3 | Delimited))
            {
                return message[..length];
            }

            message = message[length..];
        }

        throw new InvalidDataException($"The answer has no field {field}.");
    }

    /// <summary>All fields of that number.</summary>
    public static List<byte[]> Parts(ReadOnlySpan<byte> message, int field)
    {
        List<byte[]> found = [];
        while (!message.IsEmpty)
        {
            var tag = Read(ref message);
            var length = (int)Read(ref message);
            if (tag == (ulong)(field << 3 | Delimited))
            {
                found.Add(message[..length].ToArray());
            }

            message = message[length..];
        }

        return found;
    }

    private static ulong Read(ref ReadOnlySpan<byte> message)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[0];
            message = message[1..];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    private void Write(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.Write([(byte)(value | 0x80)]);
        }

        _bytes.Write([(byte)value]);
    }
}
