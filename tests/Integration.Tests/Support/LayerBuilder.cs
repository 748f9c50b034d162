using System.Formats.Tar;

namespace ImageStore.Integration.Tests.Support;

/// <summary>A layer as a tar, entry by entry.</summary>
internal sealed class LayerBuilder : IDisposable
{
    private static readonly DateTimeOffset s_time = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly MemoryStream _bytes = new();
    private readonly TarWriter _tar;

    public LayerBuilder() => _tar = new TarWriter(_bytes, TarEntryFormat.Pax, leaveOpen: true);

    public LayerBuilder Directory(string name, int mode = 0x1ED, int uid = 0, int gid = 0) =>
        Add(new PaxTarEntry(TarEntryType.Directory, name), mode, uid, gid);

    public LayerBuilder File(
        string name, byte[] content, int mode = 0x1A4, int uid = 0, int gid = 0, params (string Key, string Value)[] attributes)
    {
        var entry = new PaxTarEntry(
            TarEntryType.RegularFile, name, attributes.Select(pair => KeyValuePair.Create(pair.Key, pair.Value)))
        {
            DataStream = new MemoryStream(content),
        };
        return Add(entry, mode, uid, gid);
    }

    public LayerBuilder Symlink(string name, string target) =>
        Add(new PaxTarEntry(TarEntryType.SymbolicLink, name) { LinkName = target }, 0x1FF, 0, 0);

    // An entry says what its file is, also one that is a link: docker goes by the last, umoci by the first.
    public LayerBuilder HardLink(string name, string target, int mode = 0x1A4) =>
        Add(new PaxTarEntry(TarEntryType.HardLink, name) { LinkName = target }, mode, 0, 0);

    public LayerBuilder Device(string name, int major, int minor) =>
        Add(new PaxTarEntry(TarEntryType.CharacterDevice, name) { DeviceMajor = major, DeviceMinor = minor }, 0x1B6, 0, 0);

    public LayerBuilder Fifo(string name) => Add(new PaxTarEntry(TarEntryType.Fifo, name), 0x180, 0, 0);

    /// <summary>A file that hides a lower layer's <c>directory/name</c>.</summary>
    public LayerBuilder Whiteout(string path)
    {
        var cut = path.LastIndexOf('/') + 1;
        return File($"{path[..cut]}.wh.{path[cut..]}", []);
    }

    public LayerBuilder Opaque(string directory) => File($"{directory}/.wh..wh..opq", []);

    public byte[] ToArray()
    {
        _tar.Dispose();
        return _bytes.ToArray();
    }

    public void Dispose()
    {
        _tar.Dispose();
        _bytes.Dispose();
    }

    private LayerBuilder Add(PaxTarEntry entry, int mode, int uid, int gid)
    {
        (entry.Mode, entry.Uid, entry.Gid, entry.ModificationTime) = ((UnixFileMode)mode, uid, gid, s_time);
        _tar.WriteEntry(entry);
        return this;
    }
}
