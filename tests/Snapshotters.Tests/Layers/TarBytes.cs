using System.Formats.Tar;
using System.Text;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Archives for tests, entry by entry.</summary>
internal static class TarBytes
{
    public const UnixFileMode Odd = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.SetGroup;

    public static DateTimeOffset Time { get; } = new(2001, 2, 3, 4, 5, 6, TimeSpan.Zero);

    public static byte[] Of(params TarEntry[] entries)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            Array.ForEach(entries, tar.WriteEntry);
        }

        return bytes.ToArray();
    }

    public static PaxTarEntry Folder(string name, params string[] pax) =>
        new(TarEntryType.Directory, $"./{name}/", Records(pax)) { Mode = Odd, ModificationTime = Time };

    public static PaxTarEntry File(string name, string text = "", params string[] pax) =>
        new(TarEntryType.RegularFile, name, Records(pax))
        {
            Mode = Odd, ModificationTime = Time, DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
        };

    public static PaxTarEntry Link(string name, string target) => new(TarEntryType.HardLink, name) { LinkName = target, ModificationTime = Time };

    public static PaxTarEntry Symlink(string name, string target, params string[] pax) =>
        new(TarEntryType.SymbolicLink, name, Records(pax)) { LinkName = target, ModificationTime = Time };

    /// <summary>A bare header whose fields the test sets, with a right checksum.</summary>
    public static byte[] Header(string name, byte type, Action<byte[]>? change = null)
    {
        var header = new byte[512];
        Encoding.Latin1.GetBytes(name, header);
        "0000644"u8.CopyTo(header.AsSpan(100));
        header[156] = type;
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        change?.Invoke(header);
        header.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0", header.AsSpan(148));
        return header;
    }

    private static IEnumerable<KeyValuePair<string, string>> Records(string[] pax) =>
        pax.Select(record => record.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], pair[1]));
}
