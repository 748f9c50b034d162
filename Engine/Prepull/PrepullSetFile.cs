using System.Text;
using ImageStore.Distribution.Registry;
using ImageStore.Engine.Pull;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Configuration;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Prepull;

/// <summary>Reads a <c>prepull.yaml</c>; a mistake is an error that names its line.</summary>
public static class PrepullSetFile
{
    /// <summary>The most images of a set.</summary>
    public const int MaxImages = 1000;

    // A job's id, which has a number behind the name, is an identifier too.
    private const int MaxNameLength = 60;
    private const int MaxBytes = 1024 * 1024;
    private const string None = "none";
    private const string Name = "name";
    private const string Images = "images";
    private const string Priority = "priority";
    private const string Platforms = "platforms";
    private const string Pin = "pin";
    private const string Credentials = "credentials";
    private const string Policy = "policy";
    private const string Snapshotter = "snapshotter";
    private const string Unpack = "unpack";
    private const string Window = "window";
    private const string LimitRate = "limit-rate";
    private const string KeepFree = "keep-free";
    private const string PlainHttp = "plain-http";

    private static readonly string[] s_terms =
        [Priority, Platforms, Pin, Credentials, Policy, Snapshotter, Unpack, Window, LimitRate, KeepFree, PlainHttp];

    /// <summary>Reads the file at <paramref name="path"/>.</summary>
    /// <exception cref="ImageStoreException">It is missing, or has a mistake (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static PrepullSet Read(string path) => Parse(SmallFile.ReadText(path, MaxBytes), path);

    internal static PrepullSet Parse(string text, string file)
    {
        var root = YamlMap.Parse(text, file);
        root.RefuseOthers([Name, Images, .. s_terms]);
        var name = root.Text(Name) ?? throw root.Complaint(Name, "is missing: what leaves the set later is known by it");
        if (!Identifier.IsOne(name) || name.Length > MaxNameLength)
        {
            throw root.Complaint(Name, $"has to be 1 to {MaxNameLength} letters, digits, '-', '_' and '.', with a letter or digit at both ends");
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var usual = Terms(root, new PrepullTerms(), folder);
        Dictionary<string, long> lines = new(StringComparer.Ordinal);
        List<PrepullEntry> images = [];
        foreach (var (map, word, line) in root.Items(Images))
        {
            var entry = map is null ? new PrepullEntry(Reference(file, word!, line), usual) : Entry(map, usual, folder);
            if (!lines.TryAdd(entry.Name, line))
            {
                throw YamlMap.Complaint(file, line, $"{entry.Name} is in line {lines[entry.Name]} already");
            }

            images.Add(entry);
            if (images.Count > MaxImages)
            {
                throw YamlMap.Complaint(file, line, $"a set has at most {MaxImages} images; make two of it");
            }
        }

        return images.Count > 0
            ? new PrepullSet(name, Digest.Compute(Encoding.UTF8.GetBytes(text)), images)
            : throw YamlMap.Complaint(file, root.Line, "it names no images: put them as a list under 'images'");
    }

    private static PrepullEntry Entry(YamlMap map, PrepullTerms usual, string folder)
    {
        map.RefuseOthers([Name, .. s_terms]);
        var name = map.Text(Name) ?? throw map.Complaint(Name, "is missing");
        return new PrepullEntry(map.Checked(Name, () => ImageReference.Parse(name)), Terms(map, usual, folder));
    }

    private static ImageReference Reference(string file, string word, long line)
    {
        try
        {
            return ImageReference.Parse(word);
        }
        catch (ImageStoreException failure)
        {
            throw YamlMap.Complaint(file, line, failure.Message.TrimEnd('.'));
        }
    }

    private static PrepullTerms Terms(YamlMap map, PrepullTerms usual, string folder) => new()
    {
        Priority = map.Number(Priority) ?? usual.Priority,
        Platforms = map.Texts(Platforms) is { } texts
            ? [.. texts.Select(text => map.Checked(Platforms, () => Platform.Parse(text))).Distinct()]
            : usual.Platforms,
        Pin = map.Has(Pin) ? map.Flag(Pin) : usual.Pin,
        Credentials = map.Text(Credentials) is { } credentials ? Existing(map, Path.Combine(folder, credentials)) : usual.Credentials,
        Policy = map.Text(Policy) is { } policy ? PolicyOf(map, policy) : usual.Policy,
        Snapshotter = map.Text(Snapshotter) is { } snapshotter ? Known(map, snapshotter) : usual.Snapshotter,
        Unpack = map.Has(Unpack) ? map.Flag(Unpack) : usual.Unpack,
        Window = Unless(map, Window, usual.Window, TimeWindow.Parse),
        BytesPerSecond = Unless(map, LimitRate, usual.BytesPerSecond, text => Rate(map, text)),
        KeepFree = Unless(map, KeepFree, usual.KeepFree, DiskFloor.Parse),
        PlainHttp = map.Has(PlainHttp) ? map.Flag(PlainHttp) : usual.PlainHttp,
    };

    // An image may do without a limit that its set has.
    private static T? Unless<T>(YamlMap map, string key, T? usual, Func<string, T> parse)
        where T : struct =>
        map.Text(key) switch
        {
            null => usual,
            None => null,
            var text => map.Checked(key, () => parse(text)),
        };

    private static string Existing(YamlMap map, string path) =>
        File.Exists(path) ? path : throw map.Complaint(Credentials, $"names {Printable.Of(path)}, which is not there");

    private static PullPolicy PolicyOf(YamlMap map, string text) => text switch
    {
        "always" => PullPolicy.Always,
        "missing" => PullPolicy.Missing,
        _ => throw map.Complaint(Policy, "has to be always or missing"),
    };

    private static string Known(YamlMap map, string text) => SnapshotterFactory.Names.Contains(text, StringComparer.Ordinal)
        ? text
        : throw map.Complaint(Snapshotter, $"has to be one of {string.Join(", ", SnapshotterFactory.Names)}");

    private static long Rate(YamlMap map, string text) =>
        ByteText.Parse(text) ?? throw map.Complaint(LimitRate, "has to be bytes a second such as 20M, or none");
}
