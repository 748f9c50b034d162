using System.Globalization;
using System.Text;

namespace ImageStore.Snapshotters.Tests.Layers.Differential;

/// <summary>Writes entries in v7, ustar, GNU or PAX, mixed as an archive may be.</summary>
internal sealed class TarDialect(Choices choices, bool isTame)
{
    private const int Field = 100;
    private const int PrefixField = 155;
    private const int OctalId = 0x1FFFFF;
    private const long OctalTime = 0x1FFFFFFFF;

    public byte[] Write(IReadOnlyList<TarItem> items)
    {
        List<byte> archive = [];
        if (!isTame && choices.OneIn(3, "global", ""))
        {
            archive.AddRange(RawTar.Pax('g', "comment=of the whole archive"));
        }

        foreach (var item in items)
        {
            archive.AddRange(Entry(item));
        }

        archive.AddRange(choices.Of("end", "", isTame ? 2 : 4) switch
        {
            0 => RawTar.End,
            1 => new byte[20 * RawTar.Block],
            2 => [],
            _ => [.. RawTar.End, .. "what nobody reads"u8],
        });
        return [.. archive];
    }

    private byte[] Entry(TarItem item)
    {
        var file = item.File ?? new ModelFile(-1, ModelFile.Regular, 0, 0, 0, 0, 0, [], "", 0, 0, new Dictionary<string, string>());
        var type = item.Link is not null ? '1' : file.Kind switch
        {
            ModelFile.Regular => '0',
            ModelFile.Symlink => '2',
            ModelFile.CharDevice => '3',
            ModelFile.BlockDevice => '4',
            ModelFile.Folder => '5',
            _ => '6',
        };
        var name = Spelt(item.Path, type == '5');
        var link = item.Link is not null ? Spelt(item.Link, false) : file.Target;
        return choices.Of("dialect", item.Path, 4) switch
        {
            0 when IsPlain(file) && type is '0' or '1' or '2' or '5' && name.Length <= Field && link.Length <= Field => V7(name, type, file, link),
            1 when IsPlain(file) && link.Length <= Field && Split(name) is { } parts => Ustar(parts.Prefix, parts.Name, type, file, link),
            2 when file.Nanoseconds == 0 && file.Xattrs.Count == 0 => Gnu(name, type, file, link),
            _ => Pax(name, type, file, link, item.Path),
        };
    }

    private string Spelt(string path, bool isFolder)
    {
        var slash = isFolder && choices.OneIn(2, "slash", path) ? "/" : "";
        var start = path.Length == 0 ? "./" : choices.Of("spelt", path, 6) switch { 0 => "./", 1 => "/", 2 when !isTame => ".//", _ => "" };
        return start + path + (path.Length == 0 ? "" : slash);
    }

    private static bool IsPlain(ModelFile file) =>
        file is { Uid: <= OctalId, Gid: <= OctalId, Seconds: >= 0 and <= OctalTime, Nanoseconds: 0, Xattrs.Count: 0, Major: <= OctalId, Minor: <= OctalId };

    private static (string Prefix, string Name)? Split(string name)
    {
        if (name.Length <= Field)
        {
            return ("", name);
        }

        var slash = name.IndexOf('/', Math.Max(1, name.Length - Field - 1));
        return slash is > 0 and <= PrefixField && slash < name.Length - 1 ? (name[..slash], name[(slash + 1)..]) : null;
    }

    private static byte[] V7(string name, char type, ModelFile file, string link) => RawTar.Entry(
        type == '5' && !name.EndsWith('/') ? name + "/" : name, type is '0' or '5' ? '\0' : type, Body(type, file), link, RawTar.V7, Octal(file));

    private static byte[] Ustar(string prefix, string name, char type, ModelFile file, string link) => RawTar.Entry(
        name, type, Body(type, file), link, RawTar.Ustar, [.. Octal(file), .. Device(type, file), (345, Encoding.Latin1.GetBytes(prefix))]);

    private byte[] Gnu(string name, char type, ModelFile file, string link)
    {
        List<byte> entry = [];
        if (link.Length > Field)
        {
            entry.AddRange(RawTar.Entry("././@LongLink", 'K', Encoding.Latin1.GetBytes(link + "\0"), magic: RawTar.Gnu));
        }

        if (name.Length > Field)
        {
            entry.AddRange(RawTar.Entry("././@LongLink", 'L', Encoding.Latin1.GetBytes(name + "\0"), magic: RawTar.Gnu));
        }

        (int, byte[])[] fields =
        [
            (100, RawTar.Octal(file.Mode, 7)), (108, RawTar.Base256(file.Uid, 8)), (116, RawTar.Base256(file.Gid, 8)), (136, RawTar.Base256(file.Seconds, 12)),
            .. Device(type, file),
        ];
        var hole = Hole(type, file, name);
        if (hole is { } at)
        {
            // The old form: two segments in the header, and what is between them left out.
            byte[] data = [.. file.Data[..at.Start], .. file.Data[at.End..]];
            fields =
            [
                .. fields, (124, RawTar.Octal(data.Length, 11)), (386, RawTar.Octal(0, 11)), (398, RawTar.Octal(at.Start, 11)),
                (410, RawTar.Octal(at.End, 11)), (422, RawTar.Octal(file.Data.Length - at.End, 11)), (483, RawTar.Octal(file.Data.Length, 11)),
            ];
            return [.. entry, .. RawTar.Entry(Cut(name), 'S', data, "", RawTar.Gnu, fields)];
        }

        return [.. entry, .. RawTar.Entry(Cut(name), type, Body(type, file), Cut(link), RawTar.Gnu, fields)];
    }

    private byte[] Pax(string name, char type, ModelFile file, string link, string path)
    {
        var hole = Hole(type, file, name);
        List<string> records =
        [
            $"{(hole is null ? "path" : "GNU.sparse.name")}={name}", $"uid={file.Uid}", $"gid={file.Gid}", $"mtime={Time(file)}", "atime=1.5", "comment=" + (char)0xe9,
            .. file.Xattrs.Select(pair => $"SCHILY.xattr.{pair.Key}={pair.Value}"),
        ];
        if (type is '1' or '2')
        {
            records.Add("linkpath=" + link);
        }

        var body = Body(type, file);
        if (hole is { } at)
        {
            var map = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"2\n0\n{at.Start}\n{at.End}\n{file.Data.Length - at.End}\n").PadRight(RawTar.Block, '\0'));
            body = [.. map, .. file.Data[..at.Start], .. file.Data[at.End..]];
            records.AddRange(["GNU.sparse.major=1", "GNU.sparse.minor=0", $"GNU.sparse.realsize={file.Data.Length}"]);
        }

        var order = choices.Of("order", path, records.Count);
        return
        [
            .. RawTar.Pax('x', [.. records[order..], .. records[..order]]),
            .. RawTar.Entry(
                choices.OneIn(2, "cut", path) ? "cut" + (type == '5' ? "/" : "") : Cut(name), type, body, Cut(link), RawTar.Ustar,
                [(100, RawTar.Octal(file.Mode, 7)), .. Device(type, file)]),
        ];
    }

    private (int Start, int End)? Hole(char type, ModelFile file, string name)
    {
        var (start, end) = (file.Data.Length / 4 + 1, file.Data.Length / 4 + file.Data.Length / 2 - 1);
        return type == '0' && !isTame && end > start && !file.Data.AsSpan(start, end - start).ContainsAnyExcept((byte)0) && choices.OneIn(2, "sparse", name)
            ? (start, end) : null;
    }

    // ".5" alone is no number of every reader's.
    private static string Time(ModelFile file)
    {
        var (seconds, nanoseconds) = file.Seconds < 0 && file.Nanoseconds > 0 ? (file.Seconds + 1, 1_000_000_000 - file.Nanoseconds) : (file.Seconds, file.Nanoseconds);
        var sign = file.Seconds < 0 ? "-" : "";
        return nanoseconds == 0 ? $"{sign}{Math.Abs(seconds)}" : string.Create(CultureInfo.InvariantCulture, $"{sign}{Math.Abs(seconds)}.{nanoseconds:000000000}");
    }

    private static byte[] Body(char type, ModelFile file) => type == '0' ? file.Data : [];


    private static string Cut(string text) => text[..Math.Min(text.Length, Field)];

    private static (int, byte[])[] Octal(ModelFile file) =>
    [
        (100, RawTar.Octal(file.Mode, 7)), (108, RawTar.Octal(file.Uid, 7)), (116, RawTar.Octal(file.Gid, 7)), (136, RawTar.Octal(file.Seconds, 11)),
    ];

    private static (int, byte[])[] Device(char type, ModelFile file) =>
        type is '3' or '4' ? [(329, RawTar.Octal(file.Major, 7)), (337, RawTar.Octal(file.Minor, 7))] : [];
}
