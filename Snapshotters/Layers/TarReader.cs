using System.Text;

namespace ImageStore.Snapshotters.Layers;

/// <summary>Reads v7, ustar, PAX and GNU headers. PAX wins over GNU and ustar, a local record over a global one.</summary>
internal sealed class TarReader(InflateRing input, LayerLimits limits)
{
    private const int Block = 512;
    private const byte OldGnuSparse = (byte)'S';
    private const int PrefixBytes = 155;
    private const int StarPrefixBytes = 131;
    private const uint MaxMajor = 0xFFF;
    private const uint MaxMinor = 0xFFFFF;
    private readonly Dictionary<string, byte[]> _global = [];
    private readonly byte[] _header = new byte[Block];

    /// <summary>The next entry, or null at the archive's end; the caller consumes size and padding.</summary>
    public TarEntry? Next()
    {
        List<byte[]> local = [];
        string? gnuName = null, gnuLink = null;
        long extensions = 0;
        var isAwaited = false;
        while (true)
        {
            if (!input.Fill(_header) || !_header.AsSpan().ContainsAnyExcept((byte)0))
            {
                return !isAwaited ? null : throw LayerFault.Corrupt("the tar ends after an extension header.");
            }

            CheckSum();
            var type = _header[156];
            if (type is not ((byte)'x' or (byte)'g' or (byte)'L' or (byte)'K'))
            {
                return Entry(type, Records(local), gnuName, gnuLink);
            }

            var size = Number(124, 12);
            extensions += size;
            if (extensions > limits.MaxHeaderBytes || size < 0)
            {
                throw LayerFault.Limit("bytes of headers before one entry", limits.MaxHeaderBytes, LayerLimits.Keys.HeaderBytes);
            }

            var data = new byte[size];
            if (size > 0 && !input.Fill(data))
            {
                throw LayerFault.Corrupt("the tar ends in the middle of a header.");
            }

            input.SkipPadding(-size & (Block - 1));
            extensions++;
            // A global header is for what follows, if anything does.
            isAwaited |= type != (byte)'g';
            switch (type)
            {
                case (byte)'L': gnuName = Cut(data); break;
                case (byte)'K': gnuLink = Cut(data); break;
                case (byte)'x': local.Add(data); break;
                default: ReadGlobal(data); break;
            }
        }
    }

    // They stay in memory for the whole layer, and each entry is told all of them.
    private void ReadGlobal(byte[] data)
    {
        PaxRecords.Read(data, _global);
        if (_global.Count > limits.MaxGlobalRecords)
        {
            throw LayerFault.Limit("records of global headers", limits.MaxGlobalRecords, LayerLimits.Keys.GlobalRecords);
        }

        if (_global.Sum(p => (long)p.Key.Length + p.Value.Length) > limits.MaxHeaderBytes)
        {
            throw LayerFault.Limit("bytes of global headers", limits.MaxHeaderBytes, LayerLimits.Keys.HeaderBytes);
        }
    }

    private Dictionary<string, byte[]> Records(List<byte[]> local)
    {
        if (local.Count == 0)
        {
            return _global;
        }

        var pax = new Dictionary<string, byte[]>(_global);
        foreach (var data in local)
        {
            PaxRecords.Read(data, pax);
        }

        return pax;
    }

    private TarEntry Entry(byte type, Dictionary<string, byte[]> pax, string? gnuName, string? gnuLink)
    {
        var prefix = Prefix();
        var name = Cut(_header.AsSpan(0, 100));
        name = Text(pax, "GNU.sparse.name") ?? Text(pax, "path") ?? gnuName ?? (prefix.Length > 0 ? prefix + "/" + name : name);
        var link = Text(pax, "linkpath") ?? gnuLink ?? Cut(_header.AsSpan(157, 100));
        var (seconds, nanoseconds) = pax.TryGetValue("mtime", out var time)
            ? PaxRecords.Time(time) : (Number(136, 12), 0U);
        var device = type is (byte)'3' or (byte)'4';
        var size = BodyBytes(type, pax);
        var sparse = type == OldGnuSparse ? SparseMapReader.ReadOldGnu(_header, input, size, limits)
            : SparseMapReader.IsIn(pax) ? SparseMapReader.ReadPax(pax, input, ref size, limits)
            : null;
        return new TarEntry(
            type == OldGnuSparse ? (byte)'0' : type, name, link, (uint)(Number(100, 8) & 0xFFF),
            Id(pax, "uid", 108), Id(pax, "gid", 116), size,
            seconds, nanoseconds,
            device ? Ranged(Number(329, 8), MaxMajor, "device number") : 0,
            device ? Ranged(Number(337, 8), MaxMinor, "device number") : 0, Xattrs(pax, name), sparse);
    }

    private List<(string, byte[])> Xattrs(Dictionary<string, byte[]> pax, string name)
    {
        List<(string, byte[])> xattrs = [];
        var total = 0L;
        foreach (var (key, value) in pax.Where(p => p.Key.StartsWith(PaxRecords.XattrPrefix, StringComparison.Ordinal)))
        {
            if (value.Length > limits.MaxXattrBytes)
            {
                throw LayerFault.Limit($"bytes of an extended attribute, at '{LayerFault.Show(name)}'", limits.MaxXattrBytes, LayerLimits.Keys.XattrBytes);
            }

            var attribute = key[PaxRecords.XattrPrefix.Length..];
            total += attribute.Length + value.Length;
            xattrs.Add((attribute, value));
        }

        return total <= limits.MaxEntryXattrBytes
            ? xattrs
            : throw LayerFault.Limit(
                $"bytes of all extended attributes of one entry, at '{LayerFault.Show(name)}'", limits.MaxEntryXattrBytes, LayerLimits.Keys.EntryXattrBytes);
    }

    // What comes before the name. star has times in the last bytes of the field. GNU has other things there, but Go until
    // 1.8, and with it docker, wrote a prefix into GNU's header: where no time can be read there, that is what it is.
    private string Prefix()
    {
        var isGnu = _header.AsSpan(257, 8).SequenceEqual("ustar  \0"u8);
        if (isGnu)
        {
            var prefix = _header.AsSpan(345, PrefixBytes);
            return TarNumber.IsNumber(prefix[..12]) && TarNumber.IsNumber(prefix[12..24]) || Ascii.IsValid(Cut(prefix)) is false ? "" : Cut(prefix);
        }

        return !_header.AsSpan(257, 6).SequenceEqual("ustar\0"u8) ? ""
            : Cut(_header.AsSpan(345, _header.AsSpan(508, 4).SequenceEqual("tar\0"u8) ? StarPrefixBytes : PrefixBytes));
    }

    // Links, devices, fifos and directories have no body whatever their size says: so do all Go programs read them.
    private long BodyBytes(byte type, Dictionary<string, byte[]> pax)
    {
        if (type is >= (byte)'1' and <= (byte)'6')
        {
            return 0;
        }

        var size = pax.TryGetValue("size", out var text) ? PaxRecords.Integer(text) : Number(124, 12);
        return size >= 0 ? size : throw LayerFault.Corrupt("a size is negative.");
    }

    private uint Id(Dictionary<string, byte[]> pax, string key, int offset) =>
        Ranged(pax.TryGetValue(key, out var text) ? PaxRecords.Integer(text) : Number(offset, 8), uint.MaxValue - 1, key);

    private static uint Ranged(long value, uint max, string what) =>
        value >= 0 && value <= max ? (uint)value : throw LayerFault.Corrupt($"a {what} is out of range.");

    private static string? Text(Dictionary<string, byte[]> pax, string key) =>
        pax.TryGetValue(key, out var value) ? Encoding.Latin1.GetString(value) : null;

    private static string Cut(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? field : field[..end]);
    }

    private long Number(int offset, int length) => TarNumber.Parse(_header.AsSpan(offset, length));

    private void CheckSum()
    {
        long sum = 8 * ' ', signed = sum;
        for (var i = 0; i < Block; i++)
        {
            if (i is < 148 or >= 156)
            {
                sum += _header[i];
                signed += (sbyte)_header[i];
            }
        }

        // Some old writers added up bytes with a sign.
        if (Number(148, 8) is var told && told != sum && told != signed)
        {
            throw LayerFault.Corrupt("a tar header's checksum is wrong.");
        }
    }
}
