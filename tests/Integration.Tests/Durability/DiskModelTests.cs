using System.Text;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability;

/// <summary>What the model of the disk says is durable, and what it takes away.</summary>
public sealed class DiskModelTests
{
    private static readonly Dictionary<string, string> s_attributes = new() { [InodeState.Mode] = "644", [InodeState.Owner] = Kernel.Owner };
    private static readonly CutVariant s_torn = new("torn", 1, 0, 1, 0);

    private readonly DiskState _before = new(new Inode(InodeKind.Directory));
    private readonly List<DiskOperation> _operations = [];
    private int _clock;

    private Inode Root => _before.Root;

    [Fact]
    public void Cut_AfterSyncs_HasWhatWasSyncedAndNothingOfWhatCameLater()
    {
        var file = Create(Root, "a");
        Write(file, 0, "first");
        Sync(file);
        Sync(Root);
        Write(file, 0, "SECOND");
        Create(Root, "b");

        Assert.Equal("a=first", Text(CutVariant.Lost));
        Assert.Equal("a=SECOND b=", Text(CutVariant.Kill));
        Assert.Equal("a=first b=", Text(CutVariant.Fixed.First(one => one.Name == "names")));
        Assert.Equal("a=SECOND", Text(CutVariant.Fixed.First(one => one.Name == "data")));
    }

    [Fact]
    public void Cut_AfterSyncOfFileAlone_HasNoName()
    {
        var file = Create(Root, "a");
        Write(file, 0, "bytes");
        Sync(file);

        Assert.Equal(string.Empty, Text(CutVariant.Lost));
    }

    [Fact]
    public void Cut_AfterRename_NeedsSyncOfTheNewDirectory()
    {
        var (from, to) = (Directory("from"), Directory("to"));
        var file = Create(from, "a");
        Write(file, 0, "bytes");
        Sync(file);
        Sync(from);
        Sync(Root);
        Rename(from, "a", to, "b", file);
        Sync(from);
        Assert.Equal("from/a=bytes", Text(CutVariant.Lost));
        Sync(to);
        Assert.Equal("to/b=bytes", Text(CutVariant.Lost));
    }

    [Fact]
    public void Cut_DuringSync_DoesNotHaveWhatWasWrittenMeanwhile()
    {
        var file = Create(Root, "a");
        Sync(Root);
        var entered = _clock;
        Write(file, 0, "late");
        _operations.Add(new InodeSync(entered, ++_clock, file, Attributes: true, Failed: false));

        Assert.Equal("a=", Text(CutVariant.Lost));
    }

    [Fact]
    public void Cut_AfterFailedSync_IsNotMendedByTheNextOne()
    {
        var file = Create(Root, "a");
        Sync(Root);
        Write(file, 0, "bytes");
        _operations.Add(new InodeSync(++_clock, ++_clock, file, Attributes: true, Failed: true));
        Sync(file);

        Assert.Equal("a=", Text(CutVariant.Lost));
    }

    [Fact]
    public void Cut_AfterDataSync_HasBytesWithoutAttributes()
    {
        var file = Create(Root, "a");
        Sync(Root);
        Write(file, 0, "bytes");
        _operations.Add(new AttributeChange(++_clock, ++_clock, file, InodeState.Mode, "400"));
        _operations.Add(new InodeSync(++_clock, ++_clock, file, Attributes: false, Failed: false));

        var state = Cut(CutVariant.Lost);
        Assert.Equal("bytes", Encoding.UTF8.GetString(state[file].Bytes));
        Assert.Equal("644", state[file].Attributes[InodeState.Mode]);
    }

    [Fact]
    public void Cut_AfterWholeSync_HasAll()
    {
        Write(Create(Directory("sub"), "a"), 0, "bytes");
        _operations.Add(new WholeSync(++_clock, ++_clock, Failed: false));

        Assert.Equal("sub/a=bytes", Text(CutVariant.Lost));
    }

    [Fact]
    public void Cut_WithHoles_HasTheSizeAndZeros()
    {
        var file = Create(Root, "a");
        Sync(Root);
        Write(file, 0, "bytes");

        Assert.Equal("a=\0\0\0\0\0", Text(CutVariant.Fixed.First(one => one.Name == "holes")));
    }

    [Fact]
    public void Cut_ThatTears_KeepsWholeSectorsOfAFile()
    {
        var file = Create(Root, "a");
        Sync(Root);
        var bytes = new byte[4096];
        Array.Fill(bytes, (byte)1);
        _operations.Add(new FileWrite(++_clock, ++_clock, file, 100, bytes));
        HashSet<string> seen = [];
        for (var seed = 0; seed < 20; seed++)
        {
            var (state, _) = PowerCut.At(_before, _operations, s_torn, new Random(seed));
            var content = state[file].Bytes.ToArray();
            seen.Add(Convert.ToHexString(content));

            // The first and the last piece are shorter, since the write does not begin at a sector.
            foreach (var sector in content.Skip(100).Select((value, i) => (value, Sector: (i + 100) / 512)).GroupBy(one => one.Sector))
            {
                Assert.Single(sector.Select(one => one.value).Distinct());
            }
        }

        Assert.True(seen.Count > 10);
    }

    [Fact]
    public void Cut_OfSeveralChangesOfOneName_HasThemInOrder()
    {
        var (first, second) = (Create(Root, "a"), Create(Root, "new"));
        Write(first, 0, "1");
        Write(second, 0, "2");
        Sync(first);
        Sync(second);
        Rename(Root, "new", Root, "a", second);
        HashSet<string> seen = [];
        for (var seed = 0; seed < 40; seed++)
        {
            var (state, _) = PowerCut.At(_before, _operations, CutVariant.Seeded[0], new Random(seed));
            seen.Add(Flat(state));
        }

        // Never the new file under both names, and never the rename without what it renames.
        Assert.Equal(["", "a=1", "a=1 new=2", "a=2", "new=2"], seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Cut_AfterRemovalOfADirectory_KeepsItWhileSomethingInItIsThere()
    {
        var directory = Directory("sub");
        var file = Create(directory, "a");
        Sync(directory);
        Sync(Root);
        _operations.Add(new NameChange(++_clock, ++_clock, [new Binding(directory, "a", null)]));
        _operations.Add(new NameChange(++_clock, ++_clock, [new Binding(Root, "sub", null)], Emptied: directory));
        for (var seed = 0; seed < 40; seed++)
        {
            var (state, fates) = PowerCut.At(_before, _operations, CutVariant.Seeded[0], new Random(seed));
            Assert.True(state[Root].Entries.ContainsKey("sub") || fates[0].StartsWith("kept", StringComparison.Ordinal));
        }

        Assert.Equal("sub/a=", Text(CutVariant.Lost));
        Sync(Root);
        Assert.Equal(string.Empty, Text(CutVariant.Lost));
        Assert.NotNull(file);
    }

    private Inode Create(Inode directory, string name) => Make(InodeKind.File, directory, name);

    /// <summary>A directory below the root whose name is durable.</summary>
    private Inode Directory(string name)
    {
        var made = Make(InodeKind.Directory, Root, name);
        Sync(Root);
        return made;
    }

    private Inode Make(InodeKind kind, Inode directory, string name)
    {
        var inode = new Inode(kind) { LastPath = name };
        _operations.Add(new NameChange(++_clock, ++_clock, [new Binding(directory, name, inode)], inode, s_attributes));
        return inode;
    }

    private void Write(Inode file, long offset, string text) =>
        _operations.Add(new FileWrite(++_clock, ++_clock, file, offset, Encoding.UTF8.GetBytes(text)));

    private void Sync(Inode inode) => _operations.Add(new InodeSync(++_clock, ++_clock, inode, Attributes: true, Failed: false));

    private void Rename(Inode from, string name, Inode to, string target, Inode inode) =>
        _operations.Add(new NameChange(++_clock, ++_clock, [new Binding(from, name, null), new Binding(to, target, inode)]));

    private DiskState Cut(CutVariant variant) => PowerCut.At(_before, _operations, variant, new Random(1)).State;

    private string Text(CutVariant variant) => Flat(Cut(variant));

    /// <summary>The files with their bytes.</summary>
    private static string Flat(DiskState state) => string.Join(' ', Files(state, state.Root, string.Empty));

    private static IEnumerable<string> Files(DiskState state, Inode directory, string path) =>
        state[directory].Entries.SelectMany(entry => entry.Value.Kind == InodeKind.Directory
            ? Files(state, entry.Value, $"{path}{entry.Key}/")
            : [$"{path}{entry.Key}={Encoding.UTF8.GetString(state[entry.Value].Bytes)}"]);
}
