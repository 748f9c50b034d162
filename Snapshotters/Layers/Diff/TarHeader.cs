using System.Globalization;
using System.Text;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>Makes the headers of one entry: a ustar block, and before it a PAX one for what ustar cannot hold.</summary>
/// <remarks>
/// POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block". The same entry gives the same bytes: records are in
/// order, and nothing of the machine or the moment is in them.
/// </remarks>
internal sealed class TarHeader
{
    public const int Block = 512;
    private const int NameBytes = 100;
    private const string XattrPrefix = "SCHILY.xattr.";
    private const long MaxOctal7 = 0x1FFFFF;
    private const long MaxOctal11 = 0x1FFFFFFFF;
    private const string ExtendedName = "PaxHeaders.0";

    private readonly SortedDictionary<string, byte[]> _records = new(StringComparer.Ordinal);
    private readonly byte[] _block = new byte[Block];

    /// <summary>Begins an entry.</summary>
    /// <param name="type">The typeflag.</param>
    /// <param name="path">The name in Latin-1.</param>
    /// <param name="mode">Permission bits.</param>
    /// <param name="size">Bytes of the body.</param>
    public TarHeader(char type, string path, uint mode, long size)
    {
        _block[156] = (byte)type;
        Encoding.ASCII.GetBytes("ustar\0" + "00", _block.AsSpan(257));
        Text("path", path, 0);
        Octal(mode, 100, 7);
        Octal(0, 108, 7);
        Octal(0, 116, 7);
        Octal(0, 136, 11);
        Octal(0, 329, 7);
        Octal(0, 337, 7);
        Number("size", size, 124, 11, MaxOctal11);
    }

    public void Owner(uint uid, uint gid)
    {
        Number("uid", uid, 108, 7, MaxOctal7);
        Number("gid", gid, 116, 7, MaxOctal7);
    }

    public void Time(long seconds, uint nanoseconds)
    {
        var fits = seconds is >= 0 and <= MaxOctal11;
        Octal(fits ? seconds : 0, 136, 11);
        if (!fits || nanoseconds > 0)
        {
            _records["mtime"] = Encoding.ASCII.GetBytes(TimeText(seconds, nanoseconds));
        }
    }

    public void Link(string target) => Text("linkpath", target, 157);

    public void Device(uint major, uint minor)
    {
        Octal(major, 329, 7);
        Octal(minor, 337, 7);
    }

    /// <summary>Adds an extended attribute; its name has no equals sign, which would end the record's key.</summary>
    public void Attribute(string name, byte[] value) => _records[XattrPrefix + name] = value;

    /// <summary>Bytes of the PAX records, which readers limit.</summary>
    public long ExtendedBytes => _records.Sum(record => (long)record.Key.Length + record.Value.Length + Overhead);

    /// <summary>All blocks before the body.</summary>
    public byte[] ToBytes()
    {
        Seal(_block);
        if (_records.Count == 0)
        {
            return _block;
        }

        using var records = new MemoryStream();
        foreach (var (key, value) in _records)
        {
            Record(records, key, value);
        }

        var body = records.ToArray();
        var head = new TarHeader('x', ExtendedName, 0x1A4, body.Length);
        Seal(head._block);
        return [.. head._block, .. body, .. new byte[-body.Length & (Block - 1)], .. _block];
    }

    private const int Overhead = 24;

    private static void Record(MemoryStream into, string key, byte[] value)
    {
        // The length counts its own digits.
        var rest = key.Length + value.Length + 3;
        var length = rest + Digits(rest);
        length = rest + Digits(length);
        into.Write(Encoding.Latin1.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length} {key}=")));
        into.Write(value);
        into.WriteByte((byte)'\n');
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;

    // Whoever reads ustar alone takes the bytes as they are, so what is cut there is whole in the record.
    private void Text(string key, string text, int offset)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        bytes.AsSpan(0, Math.Min(bytes.Length, NameBytes)).CopyTo(_block.AsSpan(offset));
        if (bytes.Length <= NameBytes && Ascii.IsValid(bytes))
        {
            return;
        }

        _records[key] = bytes;
        if (!System.Text.Unicode.Utf8.IsValid(bytes))
        {
            _records["hdrcharset"] = "BINARY"u8.ToArray();
        }
    }

    private void Number(string key, long value, int offset, int digits, long max)
    {
        Octal(value <= max ? value : 0, offset, digits);
        if (value > max)
        {
            _records[key] = Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture));
        }
    }

    private void Octal(long value, int offset, int digits)
    {
        for (var i = offset + digits - 1; i >= offset; i--, value >>= 3)
        {
            _block[i] = (byte)('0' + (value & 7));
        }
    }

    private static string TimeText(long seconds, uint nanoseconds)
    {
        if (nanoseconds == 0)
        {
            return seconds.ToString(CultureInfo.InvariantCulture);
        }

        // The kernel counts a fraction forward from the second before; a decimal number counts it away from zero.
        var (sign, whole, fraction) = seconds < 0 ? ("-", -(seconds + 1), 1_000_000_000 - nanoseconds) : (string.Empty, seconds, nanoseconds);
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{whole}.{fraction:D9}").TrimEnd('0');
    }

    private static void Seal(byte[] block)
    {
        block.AsSpan(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var b in block)
        {
            sum += b;
        }

        for (var i = 153; i >= 148; i--, sum >>= 3)
        {
            block[i] = (byte)('0' + (sum & 7));
        }

        block[154] = 0;
    }
}
