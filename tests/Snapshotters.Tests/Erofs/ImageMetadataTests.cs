using System.Text;
using ImageStore.Snapshotters.Tests.Layers;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Erofs;

/// <summary>Files in images have the metadata that the kernel gives to the same layer's files in a directory.</summary>
public sealed class ImageMetadataTests : IDisposable
{
    private const string Acl = "system.posix_acl_access";
    private const string DefaultAcl = "system.posix_acl_default";
    private const string Capability = "\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    private readonly StackBench _directories = new(new DirectoryBench());
    private readonly StackBench _images = new(new ImageBench());

    // Each entry a tag's letter, permissions, and perhaps an id.
    public static TheoryData<string> Lists =>
    [
        "", "o7 g5 r5", "o6 g4 r0", "o7 u5:1000 g5 m7 r5", "o7 g5 n3:12 m1 r5", "o7 g5 m2 r5", "o7 u5:1000 u1:1000 g5 n7:1 n7:1 m7 r5",
        "o7 u5:1000 g5 r5", "o7 g5", "g5 o7 r5", "o7 g5 r5 m7", "o7 g5 r8", "o7 u5:4294967295 g5 m7 r5", "o7 o7 g5 r5", "o7 g5 x1 r5", "o7 g5 m7 m7 r5",
        "v3 o7 g5 r5", "short",
    ];

    public void Dispose()
    {
        _directories.Dispose();
        _images.Dispose();
    }

    [Theory]
    [MemberData(nameof(Lists))]
    public void Add_AccessList_IsWhatTheKernelMakesOfIt(string list)
    {
        var record = RawTar.Pax('x', $"SCHILY.xattr.{Acl}={List(list)}");
        Same(
            [record, RawTar.Entry("f", '0', [1]), record, RawTar.Entry("d", '5', []), record, RawTar.Entry("p", '6', []), record, RawTar.Entry("s", '2', [], "f"),
                RawTar.Entry("d", '5', [], fields: (100, "0002710"u8.ToArray())), RawTar.Entry("l", '1', [], "f", fields: (100, "0004701"u8.ToArray()))],
            "f", "d", "p", "s", "l");
    }

    [Theory]
    [MemberData(nameof(Lists))]
    public void Add_DefaultList_IsWhatTheKernelMakesOfIt(string list) =>
        Same([RawTar.Pax('x', $"SCHILY.xattr.{DefaultAcl}={List(list)}"), RawTar.Entry("d", '5', [])], "d");

    [Theory]
    [InlineData("\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    [InlineData("\u0001\0\0\u0003\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0\u0001\0\0\0")]
    [InlineData("\u0001\0\0\u0003\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    [InlineData("\0\0\0\u0001\0\u0004\0\0\0\0\0\0")]
    [InlineData("\0\0\0")]
    public void Add_Capability_IsTakenOrRefusedAsTheKernelDoes(string value)
    {
        var record = RawTar.Pax('x', $"SCHILY.xattr.security.capability={value}");
        Same([record, RawTar.Entry("f", '0', [1]), RawTar.Entry("l", '1', [], "f")], "f", "l");
        Same([record, RawTar.Entry("g", '0', [1]), RawTar.Entry("m", '1', [], "g", fields: (108, RawTar.Octal(7, 7)))], "g", "m");
    }

    [Theory]
    [InlineData("system.other")]
    [InlineData("system.")]
    [InlineData("trusted.")]
    [InlineData("security.")]
    public void Add_NameOfNoAttribute_IsLeftOutOrRefusedAsTheKernelDoes(string name) =>
        Same([RawTar.Pax('x', $"SCHILY.xattr.{name}=1"), RawTar.Entry("f", '0', [1])], "f");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3900)]
    [InlineData(4000)]
    [InlineData(4096)]
    [InlineData(8192 + 3950)]
    [InlineData(600_000 + 3990)]
    public void Add_LinksWithMoreAndMoreAttributes_KeepTheFilesBytes(int size)
    {
        var body = new byte[size];
        new Random(size).NextBytes(body);
        byte[][] first =
        [
            RawTar.Entry("f", '0', body), RawTar.Entry("p", '6', []), RawTar.Entry("s", '2', [], "f"),
            .. Enumerable.Range(0, 4).SelectMany(i => new[] { "f", "p", "s" }.SelectMany(of => Link($"{of}{i}", of, i))),
        ];
        string[] names = [.. new[] { "f", "p", "s" }.SelectMany(of => Enumerable.Range(0, 4).Select(i => $"{of}{i}").Append(of))];
        Same(first, names);
        Same([.. Enumerable.Range(4, 3).SelectMany(i => Link($"f{i}", "f", i))], "f", "f4", "f6");

        foreach (var bench in new[] { _directories, _images })
        {
            Assert.Equal(body, File.ReadAllBytes(Path.Combine(bench.Top, "f6")));
        }
    }

    [Fact]
    public void Add_LinkWithAttributesToASparseFile_KeepsItsHoles()
    {
        byte[][] Sparse() =>
        [
            RawTar.Pax('x', "GNU.sparse.size=3000000", "GNU.sparse.map=4096,5,2000000,5"), RawTar.Entry("f", '0', "ab\0cdefghi"u8.ToArray()), .. Link("l", "f", 3),
        ];
        Same(Sparse(), "f", "l");

        Assert.Equal(File.ReadAllBytes(Path.Combine(_directories.Top, "l")), File.ReadAllBytes(Path.Combine(_images.Top, "l")));
    }

    private static IEnumerable<byte[]> Link(string name, string target, int i) =>
    [
        RawTar.Pax('x', [.. Enumerable.Range(0, i).Select(a => $"SCHILY.xattr.trusted.{(char)('a' + a)}={new string('v', 10 + (a * 30))}")]),
        RawTar.Entry(name, '1', [], target, fields: [(108, RawTar.Octal(i, 7)), (136, RawTar.Octal(1000 + i, 11)), (100, Encoding.ASCII.GetBytes($"0000{i}44"))]),
    ];

    private static string List(string list)
    {
        if (list == "short")
        {
            return "\u0002\0\0";
        }

        var parts = list.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var text = new StringBuilder(list.StartsWith("v3", StringComparison.Ordinal) ? "\u0003\0\0\0" : "\u0002\0\0\0");
        foreach (var part in parts.Where(part => part != "v3"))
        {
            var tag = part[0] switch { 'o' => 1, 'u' => 2, 'g' => 4, 'n' => 8, 'm' => 0x10, 'r' => 0x20, _ => 0x40 };
            var id = part.Contains(':', StringComparison.Ordinal) ? uint.Parse(part.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture) : uint.MaxValue;
            text.Append((char)tag).Append('\0').Append((char)(part[1] - '0')).Append('\0').Append(Encoding.Latin1.GetString(BitConverter.GetBytes(id)));
        }

        return text.ToString();
    }

    private void Same(byte[][] entries, params string[] names) => Assert.Equal(Outcome(_directories, entries, names), Outcome(_images, entries, names));

    private static string Outcome(StackBench bench, byte[][] entries, string[] names)
    {
        try
        {
            bench.Add(entries);
        }
        catch (ImageStoreException fault)
        {
            return $"{fault.Kind}: {fault.Message}";
        }

        return string.Join('\n', names.Select(name => $"{name}: {StackBench.Stat(bench.Top, name)} {StackBench.Xattrs(bench.Top, name)}"));
    }
}
