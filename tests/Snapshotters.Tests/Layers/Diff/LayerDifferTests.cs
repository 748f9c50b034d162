using System.Diagnostics;
using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Tests.Layers.Diff;

/// <summary>What a difference is, case by case; <see cref="RoundTripTests"/> has the rest.</summary>
public sealed class LayerDifferTests : IDisposable
{
    private readonly DiffBench _bench = new();

    public LayerDifferTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Write_OfNoChange_IsAnEmptyTar()
    {
        var lower = Tree(("a/b", "1"));
        Assert.Equal(new byte[1024], DiffBench.Diff([DiffBench.Bind(lower)], [DiffBench.Bind(_bench.Copy(lower))]));
        Assert.Equal(new byte[1024], DiffBench.Diff([], [DiffBench.Bind(_bench.Make())]));
        var upper = _bench.Make();
        using (var from = OpenAt.HostDirectory(lower))
        using (var to = OpenAt.HostDirectory(upper))
        {
            MetadataCopy.To(from, to, FileMetadata.TryGet(from, "\0"u8)!.Value, "/");
        }

        Assert.Equal(new byte[1024], DiffBench.Diff([DiffBench.Bind(lower)], [_bench.OverlayMount([lower], upper)]));
    }

    [Fact]
    public void List_OfChanges_TellsThemInTheOrderOfTheirPaths()
    {
        var lower = Tree(("a/gone", "1"), ("a/kept", "1"), ("a/changed", "1"), ("d/old", "1"), ("d/e/old", "1"), ("z", "1"));
        var upper = _bench.Make();
        var mounted = _bench.Overlay([lower], upper);
        File.Delete(Path.Combine(mounted, "a/gone"));
        File.AppendAllText(Path.Combine(mounted, "a/changed"), "2");
        Directory.Delete(Path.Combine(mounted, "d"), recursive: true);
        Directory.CreateDirectory(Path.Combine(mounted, "d"));
        File.WriteAllText(Path.Combine(mounted, "d/new"), "2");

        Assert.Equal(
            ["C /a", "C /a/changed", "D /a/gone", "C /d", "D /d/e", "A /d/new", "D /d/old"],
            DiffBench.List([DiffBench.Bind(lower)], [_bench.OverlayMount([lower], upper)]));
        Assert.Equal(["a/", "a/changed", "a/.wh.gone", "d/", "d/.wh..wh..opq", "d/new"],
            Names(DiffBench.Diff([DiffBench.Bind(lower)], [_bench.OverlayMount([lower], upper)])).Where(name => name != "./"));
    }

    [Fact]
    public void Write_OfWhiteoutsInAttributes_IsThatOfDevices()
    {
        var (lower, upper) = (Tree(("d/a", "1"), ("d/b", "1"), ("e/a", "1")), Tree(("d/a", string.Empty), ("d/b", string.Empty), ("e/a", string.Empty)));
        Mark(upper, "d", "trusted.overlay.opaque", "x");
        Mark(upper, "d/a", "trusted.overlay.whiteout", "y");

        // Where the directory does not say that there are such, the file is a file.
        Mark(upper, "e/a", "trusted.overlay.whiteout", "y");
        var names = Names(DiffBench.Diff([DiffBench.Bind(lower)], [new Mount("overlay", "overlay", [$"lowerdir={upper}:{lower}"])]));
        Assert.Contains("d/.wh.a", names);
        Assert.Contains("d/b", names);
        Assert.Contains("e/a", names);
    }

    [Theory]
    [InlineData("user", false)]
    [InlineData("trusted", true)]
    public void Write_OfMarksThatTheMountDoesNotObey_TakesThemForNothing(string prefix, bool isUser)
    {
        var (lower, upper) = (Tree(("d/a", "1")), Tree(("d/b", "1")));
        Mark(upper, "d", $"{prefix}.overlay.opaque", "y");
        Mark(upper, "d", $"{prefix}.overlay.redirect", "/elsewhere");
        string[] options = isUser ? ["userxattr"] : [];
        Assert.DoesNotContain("d/.wh..wh..opq", Names(DiffBench.Diff([DiffBench.Bind(lower)], [_bench.OverlayMount([lower], upper, options)])));
    }

    [Fact]
    public void Write_OfADirectoryRenamedByRedirect_HasWhatWasInIt()
    {
        var lower = Tree(("d/a", "1"), ("d/b", "1"));
        var upper = _bench.Make();
        var mounted = _bench.Overlay([lower], upper, "redirect_dir=on");
        Directory.Move(Path.Combine(mounted, "d"), Path.Combine(mounted, "moved"));
        Assert.NotNull(Attribute(upper, "moved", "trusted.overlay.redirect"));
        Assert.Equal(
            ["D /d", "A /moved", "A /moved/a", "A /moved/b"],
            DiffBench.List([DiffBench.Bind(lower)], [_bench.OverlayMount([lower], upper)]));
        Assert.Contains("moved/b", Names(DiffBench.Diff([DiffBench.Bind(lower)], [_bench.OverlayMount([lower], upper)])));
    }

    [Fact]
    public void Write_OfLinksThatLeadOut_FollowsNone()
    {
        var outside = Tree(("secret", "secret"));
        var upper = _bench.Make();
        File.CreateSymbolicLink(Path.Combine(upper, "out"), outside);
        File.CreateSymbolicLink(Path.Combine(upper, "file"), Path.Combine(outside, "secret"));
        File.CreateSymbolicLink(Path.Combine(upper, "up"), "../../../../../../etc");
        var layer = DiffBench.Diff([], [DiffBench.Bind(upper)]);
        Assert.Equal(["./", "file", "out", "up"], Names(layer));
        Assert.DoesNotContain("secretsecret", Encoding.Latin1.GetString(layer).Replace("\0", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fifo")]
    [InlineData("link")]
    [InlineData("other")]
    public void Open_OfAFileThatBecameAnother_IsRefusedAndDoesNotWait(string what)
    {
        var root = Tree(("f", "1"), ("g", "2"));
        using var directory = LayeredDirectory.Open([root], null);
        var found = directory.Find("f\0"u8.ToArray(), "f")!.Value;
        File.Move(Path.Combine(root, "f"), Path.Combine(root, "kept"));
        switch (what)
        {
            case "fifo": NameAt.MakeNode(directory.Top, "f\0"u8, 0x1180, 0, 0, "f"); break;
            case "link": File.CreateSymbolicLink(Path.Combine(root, "f"), "kept"); break;
            default: File.Move(Path.Combine(root, "g"), Path.Combine(root, "f")); break;
        }

        Assert.Equal(ErrorKind.FailedPrecondition, Assert.Throws<ImageStoreException>(() => EntryFile.Open(found, "f")).Kind);
    }

    [Fact]
    public void Write_OfAFileThatBecameShorter_IsRefused()
    {
        var root = Tree(("f", new string('x', 5000)));
        using var directory = LayeredDirectory.Open([root], null);
        var found = directory.Find("f\0"u8.ToArray(), "f")!.Value;
        File.WriteAllText(Path.Combine(root, "f"), "short");
        var writer = new LayerTarWriter(Stream.Null, DiffBench.Plain, DiffBench.Ct);
        Assert.Equal(
            ErrorKind.FailedPrecondition,
            Assert.Throws<ImageStoreException>(() => writer.Write(new TreeChange(ChangeKind.Added, "f", found))).Kind);
    }

    [Fact]
    public void Write_OfWhatNoLayerHolds_IsRefusedWithItsPath()
    {
        Refused(ErrorKind.Unsupported, "d/.wh.x", Tree(("d/.wh.x", "1")));
        Refused(ErrorKind.Unsupported, "d/.wh..wh..opq", Tree(("d/.wh..wh..opq", "1")));
        var odd = Tree(("f", "1"));
        Mark(odd, "f", "user.a=b", "1");
        Refused(ErrorKind.Unsupported, "'f'", odd);
        Refused(ErrorKind.LimitExceeded, "a/a/a", Tree((string.Concat(Enumerable.Repeat("a/", new LayerLimits().MaxDepth)) + "f", "1")));

        void Refused(ErrorKind kind, string path, string tree)
        {
            var failure = Assert.Throws<ImageStoreException>(() => DiffBench.Diff([], [DiffBench.Bind(tree)]));
            Assert.Equal(kind, failure.Kind);
            Assert.Contains(path, failure.Message, StringComparison.Ordinal);
            Assert.NotNull(failure.Remedy);
        }
    }

    [Fact]
    public void Write_Twice_WithOneWorkerAndMany_IsTheSame()
    {
        var tree = Tree([.. Enumerable.Range(0, 300).Select(i => ($"d{i % 7}/f{i}", new string((char)('a' + i % 20), i * 100)))]);
        foreach (var choice in new[] { CompressionChoice.Default, CompressionChoice.Zstd })
        {
            var one = DiffBench.Diff([], [DiffBench.Bind(tree)], new DiffOptions { Compression = choice, Workers = 1 });
            Assert.Equal(one, DiffBench.Diff([], [DiffBench.Bind(tree)], new DiffOptions { Compression = choice, Workers = 8 }));
        }
    }

    [Fact]
    public void Write_WithALatestTime_HasNothingLaterAndWhatIsEarlierAsItIs()
    {
        var tree = Tree(("early", "1"), ("late", "1"));
        File.SetLastWriteTimeUtc(Path.Combine(tree, "early"), DateTime.UnixEpoch.AddSeconds(5.25));
        var options = DiffBench.Plain with { LatestTime = 1000 };
        using var tar = new System.Formats.Tar.TarReader(new MemoryStream(DiffBench.Diff([], [DiffBench.Bind(tree)], options)));
        while (tar.GetNextEntry() is { } entry)
        {
            Assert.Equal(entry.Name == "early" ? 5.25 : 1000, entry.ModificationTime.ToUnixTimeMilliseconds() / 1000.0);
        }
    }

    [Fact]
    public void Write_OfAHugeHole_ReadsNoneOfItAndTakesLittle()
    {
        var tree = Tree(("hole", "1"));
        using (var file = File.OpenWrite(Path.Combine(tree, "hole")))
        {
            file.SetLength(400_000_000);
        }

        var watch = Stopwatch.StartNew();
        var layer = DiffBench.Diff([], [DiffBench.Bind(tree)], new DiffOptions { Compression = CompressionChoice.Zstd });
        Assert.True(layer.Length < 200_000, $"{layer.Length} bytes");
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1), $"{watch.Elapsed}");
    }

    [Fact]
    public void Write_OfMoreThanTheLimits_IsRefused()
    {
        var tree = Tree(("a", "1"), ("b", "1"));
        foreach (var limits in new[] { new LayerLimits { MaxEntries = 2 }, new LayerLimits { MaxUnpackedBytes = 1500 } })
        {
            Assert.Equal(
                ErrorKind.LimitExceeded,
                Assert.Throws<ImageStoreException>(() => DiffBench.Diff([], [DiffBench.Bind(tree)], DiffBench.Plain with { Limits = limits })).Kind);
        }
    }

    private static List<string> Names(byte[] layer)
    {
        using var tar = new System.Formats.Tar.TarReader(new MemoryStream(layer));
        List<string> names = [];
        while (tar.GetNextEntry() is { } entry)
        {
            names.Add(entry.Name);
        }

        return names;
    }

    private static void Mark(string root, string path, string attribute, string value)
    {
        using var handle = OpenAt.HostDirectory(root);
        Xattr.Set(handle, RootedPath.Name(path), RootedPath.Name(attribute), Encoding.ASCII.GetBytes(value), path);
    }

    private static byte[]? Attribute(string root, string path, string attribute)
    {
        using var handle = OpenAt.HostDirectory(root);
        return Xattr.Get(handle, RootedPath.Name(path), RootedPath.Name(attribute));
    }

    private string Tree(params (string Path, string Text)[] files)
    {
        var root = _bench.Make();
        foreach (var (path, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, path))!);
            File.WriteAllText(Path.Combine(root, path), text);
        }

        return root;
    }
}
