using System.Diagnostics;
using System.Formats.Tar;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>What overlayfs shows of a stack of layers is what the native snapshotter's whole tree holds.</summary>
public abstract class LayerStackSuite : IDisposable
{
    private static readonly LayerFormat s_format = new("trusted.overlay.opaque");
    private static readonly Dictionary<string, PaxTarEntry[][]> s_stacks = new(StringComparer.Ordinal)
    {
        ["whiteouts"] =
        [
            [TarBytes.Folder("d"), TarBytes.File("d/a", "1"), TarBytes.File("d/b", "1"), TarBytes.File("gone", "1")],
            [TarBytes.File("d/.wh.a"), TarBytes.File(".wh.gone"), TarBytes.File(".wh.nothing"), TarBytes.File("new/.wh.nothing")],
            [TarBytes.File("d/a", "3"), TarBytes.File("d/.wh.a"), TarBytes.File(".wh.gone"), TarBytes.File("gone", "3")],
        ],
        ["opaque"] =
        [
            [TarBytes.Folder("d"), TarBytes.File("d/old", "1"), TarBytes.Folder("e"), TarBytes.File("e/old", "1"), TarBytes.Folder("e/f"), TarBytes.File("e/f/old", "1")],
            [TarBytes.File("d/before", "2"), TarBytes.File("d/.wh..wh..opq"), TarBytes.File("d/after", "2"), TarBytes.File("e/.wh..wh..opq"), TarBytes.File("e/f/new", "2")],
            [TarBytes.File("d/.wh.before"), TarBytes.File("e/f/third", "3")],
        ],
        ["removed and made again"] =
        [
            [TarBytes.Folder("d"), TarBytes.File("d/old", "1"), TarBytes.Folder("e"), TarBytes.File("e/old", "1")],
            [TarBytes.File(".wh.d"), TarBytes.File("d/new", "2"), TarBytes.File("e/new", "2"), TarBytes.File(".wh.e")],
        ],
        ["types change"] =
        [
            [TarBytes.Folder("d"), TarBytes.File("d/f", "1"), TarBytes.File("f", "1"), TarBytes.Symlink("s", "d"), TarBytes.Symlink("t", "d")],
            [TarBytes.File("d", "2"), TarBytes.Folder("f"), TarBytes.File("f/g", "2"), TarBytes.File("s/x", "2"), TarBytes.Folder("t")],
            [TarBytes.Folder("d"), TarBytes.File("d/h", "3"), TarBytes.Symlink("f", "d"), TarBytes.File(".wh.s")],
        ],
        ["whiteouts of nothing"] =
        [
            [TarBytes.Folder("d"), TarBytes.File("d/.wh.x"), TarBytes.File(".wh.y"), TarBytes.Folder("e"), TarBytes.File("e/x", "1"), TarBytes.File("f", "1")],
            [TarBytes.Folder("new"), TarBytes.File("new/.wh.x"), TarBytes.File("e/.wh..wh..opq"), TarBytes.File("e/.wh.x"), TarBytes.File("f/.wh.z"), TarBytes.File("d/.wh.x")],
        ],
        ["hard links"] =
        [
            [TarBytes.Folder("d"), TarBytes.File("d/t", "1"), TarBytes.File("u", "1"), TarBytes.Symlink("s", "u")],
            [TarBytes.Link("l", "d/t"), TarBytes.Link("m", "u"), TarBytes.File(".wh.u"), TarBytes.Link("n", "s"), TarBytes.Link("o", "l")],
            [TarBytes.Link("p", "o"), TarBytes.File(".wh.l")],
        ],
        ["metadata"] =
        [
            [TarBytes.Folder(""), TarBytes.Folder("d", "SCHILY.xattr.user.a=1", "SCHILY.xattr.user.b=1"), TarBytes.File("d/f", "1")],
            [TarBytes.Folder("d", "SCHILY.xattr.user.b=2"), TarBytes.File("d/e/g", "2", "SCHILY.xattr.user.c=3")],
            [TarBytes.File("d/e/h", "3"), TarBytes.Folder("d/e")],
        ],
        ["root opaque"] =
        [
            [TarBytes.File("a", "1"), TarBytes.Folder("d"), TarBytes.File("d/old", "1"), TarBytes.Folder("e")],
            [TarBytes.File("b", "2"), TarBytes.File(".wh..wh..opq"), TarBytes.File("d/new", "2")],
        ],
    };

    private readonly string _work = Directory.CreateTempSubdirectory("stack-").FullName;

    private static readonly DirectoryBench s_directories = new();
    private readonly LayerBench _bench;

    protected LayerStackSuite(LayerBench bench)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _bench = bench;
    }

    public static TheoryData<string> Stacks => [.. s_stacks.Keys];

    public void Dispose()
    {
        _bench.Dispose();
        TreeRemover.RemoveTree(_work);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [MemberData(nameof(Stacks))]
    public void Stack_OnOverlayAndNative_IsTheSameTree(string name)
    {
        var native = Native(s_stacks[name]);
        var (lowers, mountPoint) = (Overlay(s_stacks[name]), Make("mounted"));
        Assert.SkipUnless(
            Run("mount", "-t", "overlay", "-o", $"ro,lowerdir={string.Join(':', lowers)}", "overlay", mountPoint).Code == 0,
            "needs overlayfs");
        try
        {
            var expected = Listing(mountPoint);
            Assert.NotEmpty(expected);
            Assert.Equal(expected, Listing(native));
            Assert.Equal("", Run("find", mountPoint, "-ls").Errors);
            Assert.DoesNotContain("old", expected, StringComparison.Ordinal);
        }
        finally
        {
            Assert.Equal(0, Run("umount", mountPoint).Code);
        }
    }

    private List<string> Overlay(PaxTarEntry[][] stack)
    {
        List<string> lowers = [];
        foreach (var entries in stack)
        {
            var directory = Make($"overlay-{lowers.Count}");
            Apply(_bench, entries, directory, lowers);
            lowers.Insert(0, directory);
        }

        return lowers;
    }

    private string Native(PaxTarEntry[][] stack)
    {
        var tree = Make("native");
        for (var i = 0; i < stack.Length; i++)
        {
            var layer = Make($"layer-{i}");
            Apply(s_directories, stack[i], layer, i == 0 ? [] : [tree]);
            LayerMerger.MergeOnto(layer, tree, s_format, CancellationToken.None);
        }

        return tree;
    }

    private static void Apply(LayerBench bench, PaxTarEntry[] entries, string directory, List<string> lowers)
    {
        foreach (var entry in entries)
        {
            entry.DataStream?.Seek(0, SeekOrigin.Begin);
        }

        var applied = bench.Apply(new MemoryStream(TarBytes.Of(entries)), LayerCompression.None, directory, new LayerLimits());
        bench.Settle(applied, directory, lowers);
    }

    // Kind, mode, owner, time, target; then contents and attributes. Not the count of links, which overlayfs takes from below.
    private static string Listing(string root)
    {
        var names = Run("find", root, "-printf", "%P|%y|%m|%U:%G|%T@|%l\n").Output.Split('\n').Order(StringComparer.Ordinal);
        var contents = Run("find", root, "-type", "f", "-printf", "%P|", "-exec", "cat", "{}", ";", "-printf", "\n").Output
            .Split('\n').Order(StringComparer.Ordinal);
        using var handle = Store.Interop.OpenAt.HostDirectory(root);
        var attributes = Directory.GetFileSystemEntries(root, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root, path)).Order(StringComparer.Ordinal)
            .SelectMany(path => Store.Interop.Xattr.List(handle, RootedPath.Name(path))
                .Select(System.Text.Encoding.ASCII.GetString).Where(a => a.StartsWith("user.", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(a => $"{path} {a} {Convert.ToHexString(Store.Interop.Xattr.Get(handle, RootedPath.Name(path), RootedPath.Name(a[..^1]))!)}"));
        return string.Join('\n', names.Concat(contents).Concat(attributes));
    }

    private static (int Code, string Output, string Errors) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    private string Make(string name) => Directory.CreateDirectory(Path.Combine(_work, name)).FullName;
}
