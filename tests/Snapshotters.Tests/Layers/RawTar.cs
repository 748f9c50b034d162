using System.Globalization;
using System.Text;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Tar blocks byte by byte, for what no library would write.</summary>
internal static class RawTar
{
    public const int Block = 512;
    public const string Ustar = "ustar\000";
    public const string Gnu = "ustar  \0";
    public const string V7 = "";
    private const int Mode = 100;
    private const int Size = 124;
    private const int Sum = 148;
    private const int Type = 156;
    private const int Link = 157;
    private const int Magic = 257;

    /// <summary>Two blocks of zeros.</summary>
    public static byte[] End => new byte[2 * Block];

    /// <summary>An entry with its body, filled up to a whole block; <paramref name="fields"/> are written over the header.</summary>
    public static byte[] Entry(
        string name, char type, byte[] body, string link = "", string magic = Ustar, params (int Offset, byte[] Value)[] fields)
    {
        var header = new byte[Block];
        Encoding.Latin1.GetBytes(name, header);
        "0000644"u8.CopyTo(header.AsSpan(Mode));
        Octal(body.Length, 11).CopyTo(header, Size);
        header[Type] = (byte)type;
        Encoding.Latin1.GetBytes(link, header.AsSpan(Link));
        Encoding.Latin1.GetBytes(magic, header.AsSpan(Magic));
        foreach (var (offset, value) in fields)
        {
            value.CopyTo(header, offset);
        }

        Seal(header, b => b);
        return [.. header, .. body, .. new byte[-body.Length & (Block - 1)]];
    }

    /// <summary>An extended header of <paramref name="type"/> <c>x</c> or <c>g</c>; strings are bytes in Latin-1.</summary>
    public static byte[] Pax(char type, params string[] records) =>
        Entry("pax", type, [.. records.SelectMany(record => Encoding.Latin1.GetBytes(Record(record)))]);

    /// <summary>Digits to fill a field of one byte more.</summary>
    public static byte[] Octal(long value, int digits) => Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(digits, '0'));

    /// <summary>GNU's form for numbers that octal digits cannot hold.</summary>
    public static byte[] Base256(long value, int length)
    {
        var field = new byte[length];
        for (var i = length - 1; i >= 0; i--, value >>= 8)
        {
            field[i] = (byte)value;
        }

        field[0] |= 0x80;
        return field;
    }

    /// <summary>Writes the checksum of what each byte counts for.</summary>
    public static void Seal(Span<byte> header, Func<byte, int> counts)
    {
        header.Slice(Sum, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var b in header)
        {
            sum += counts(b);
        }

        Octal(sum, 6).CopyTo(header[Sum..]);
        header[Sum + 6] = 0;
    }

    private static string Record(string record)
    {
        // The length counts its own digits.
        var length = record.Length + 2;
        while (length != record.Length + 2 + Digits(length))
        {
            length = record.Length + 2 + Digits(length);
        }

        return string.Create(CultureInfo.InvariantCulture, $"{length} {record}\n");
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
}
