namespace ImageStore.Snapshotters.Tests.Layers.Differential;

/// <summary>One change of a model tree. Where it makes no sense it does nothing, so that any steps may be left out.</summary>
internal sealed record ModelStep(string Verb, string Path, string Other, int Number)
{
    private const uint LargestId = uint.MaxValue - 1;

    private static readonly string[] s_verbs =
    [
        "file", "file", "file", "folder", "folder", "folder", "symlink", "fifo", "device", "link", "link", "remove", "remove", "rename", "write", "mode",
        "owner", "xattr", "xattr", "touch", "empty", "root",
    ];

    // No name of a layer begins with ".wh.".
    private static readonly string[] s_names =
    [
        "a", "b", "c", "d", "e", "\u00c3\u00a9", "\u00ff\u00fe\u0080", "new\nline", " ", "-x", "x=y", "..x", ".wh", "a b", new('n', 120), new('m', 255),
    ];

    private static readonly string[] s_targets = ["a", "../b", "/a/b", "../../../../c", "nowhere", ".", "x\u00ff\ny", new('t', 150)];

    public static ModelStep Random(Random random) =>
        new(s_verbs[random.Next(s_verbs.Length)], RandomPath(random), RandomPath(random), random.Next());

    public override string ToString() => $"{Verb} {Shown(Path)} {Shown(Other)} {Number}";

    /// <summary>Changes the tree; files that are made get <paramref name="id"/>.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="id">One that no file has.</param>
    /// <param name="isTame">Only what every tool takes: see <see cref="PeerTests"/>.</param>
    public void Do(ModelTree tree, int id, bool isTame)
    {
        var old = tree.Find(Path);
        switch (Verb)
        {
            case "file" or "folder" or "symlink" or "fifo" or "device" when tree.HasParent(Path) && !(old is { IsFolder: true } && Verb == "folder"):
                tree.Put(Path, Made(id, isTame));
                break;
            case "link" when old is { IsFolder: false } && tree.HasParent(Other) && Other != Path && !Other.StartsWith(Path + "/", StringComparison.Ordinal):
                tree.Put(Other, old);
                break;
            case "remove" when old is not null:
                tree.Remove(Path);
                break;
            case "rename" when old is not null && tree.HasParent(Other) && Other != Path
                && !Other.StartsWith(Path + "/", StringComparison.Ordinal) && !Path.StartsWith(Other + "/", StringComparison.Ordinal):
                tree.Move(Path, Other);
                break;
            case "write" when old is { Kind: ModelFile.Regular }:
                tree.Change(Path, file => file with { Data = Bytes(Number % 3000) });
                break;
            case "mode" when old is { Kind: not ModelFile.Symlink }:
                tree.Change(Path, file => file with { Mode = (uint)Number % 0x1000 });
                break;
            case "owner" when old is not null:
                tree.Change(Path, file => file with { Uid = Id(Number), Gid = Id(Number / 7) });
                break;
            case "xattr" when old is { } target:
                var xattrs = new Dictionary<string, string>(target.Xattrs, StringComparer.Ordinal);
                Attribute(xattrs, target.Kind, isTame);
                tree.Change(Path, file => file with { Xattrs = xattrs });
                break;
            case "touch" when old is not null:
                tree.Change(Path, file => file with { Seconds = Seconds(isTame), Nanoseconds = Nanoseconds() });
                break;
            case "empty" when old is { IsFolder: true }:
                foreach (var child in tree.Below(Path).ToList())
                {
                    tree.Remove(child);
                }

                break;
            case "root":
                tree.Change(string.Empty, file => file with { Mode = (uint)Number % 0x1000, Uid = Id(Number), Seconds = Seconds(isTame), Nanoseconds = Nanoseconds() });
                break;
        }
    }

    private ModelFile Made(int id, bool isTame)
    {
        var kind = Verb switch
        {
            "file" => ModelFile.Regular,
            "folder" => ModelFile.Folder,
            "symlink" => ModelFile.Symlink,
            "fifo" => ModelFile.Fifo,
            _ => Number % 2 == 0 ? ModelFile.CharDevice : ModelFile.BlockDevice,
        };
        var isDevice = kind is ModelFile.CharDevice or ModelFile.BlockDevice;
        var xattrs = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Number % 5 == 0)
        {
            Attribute(xattrs, kind, isTame);
        }

        return new ModelFile(
            id, kind, kind == ModelFile.Symlink ? 0x1FF : (uint)(Number / 3) % 0x1000, Id(Number), Id(Number / 11), Seconds(isTame), Nanoseconds(),
            kind == ModelFile.Regular ? Bytes(Number % 4 == 0 ? 0 : Number % 5000) : [],
            kind == ModelFile.Symlink ? s_targets[Number % s_targets.Length] : "",
            isDevice ? 1 + (uint)Number % 4000 : 0, isDevice ? (uint)Number % 1_000_000 : 0, xattrs);
    }

    // A security.capability of a file that has an owner of its own, and others that every kind may have.
    private void Attribute(Dictionary<string, string> xattrs, uint kind, bool isTame)
    {
        if (kind == ModelFile.Regular && Number % 3 == 0)
        {
            xattrs["security.capability"] = "\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
            return;
        }

        var isPlain = kind is ModelFile.Regular or ModelFile.Folder;
        if (isTame && !isPlain)
        {
            return;
        }

        var name = (isPlain ? "user.k" : "trusted.k") + (char)('a' + Number % 3);
        xattrs[name] = System.Text.Encoding.Latin1.GetString(Bytes(isTame ? 1 + (Number % 50) : Number % 50));
    }

    private static uint Id(int number) => (number % 4) switch
    {
        0 => 0,
        1 => (uint)(number % 2_000_000),
        2 => 3_000_000_000 + (uint)(number % 1000),
        _ => number % 3 == 0 ? LargestId : (uint)(number % 1000),
    };

    private long Seconds(bool isTame) => (Number % 6) switch
    {
        0 when !isTame => -Number,
        1 when !isTame => -5,
        2 => 9_000_000_000,
        3 => 0,
        _ => Number,
    };

    private uint Nanoseconds() => Number % 3 == 0 ? 0 : (uint)(Number % 1_000_000_000);

    private byte[] Bytes(int size)
    {
        var bytes = new byte[size];
        new Random(Number).NextBytes(bytes);
        if (Number % 3 == 0 && size > 100)
        {
            // For a sparse file to leave out.
            bytes.AsSpan(size / 4, size / 2).Clear();
        }

        return bytes;
    }

    // Few names, so that steps meet.
    private static string RandomPath(Random random) =>
        string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => s_names[random.Next(6) > 0 ? random.Next(4) : random.Next(s_names.Length)]));

    private static string Shown(string path) => path.Replace("\n", "\\n", StringComparison.Ordinal);
}
