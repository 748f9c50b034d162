using System.IO.Compression;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>A layer beyond a limit is refused by an error that says which, and by what key it is raised.</summary>
public abstract class LayerLimitsSuite : IDisposable
{
    private static readonly Dictionary<string, (LayerLimits Limits, byte[][] Fits, byte[][] TooMuch)> s_cases = new(StringComparer.Ordinal)
    {
        [LayerLimits.Keys.Entries] = (new() { MaxEntries = 2 }, [File("a"), File("b")], [File("a"), File("b"), File("c")]),
        [LayerLimits.Keys.UnpackedBytes] = (new() { MaxUnpackedBytes = 2048 }, [File("a"), File("b")], [File("a"), RawTar.Entry("b", '0', new byte[1100])]),
        [LayerLimits.Keys.PathBytes] = (new() { MaxPathBytes = 10 }, [File("1234/67890")], [File("1234/678901")]),
        [LayerLimits.Keys.Depth] = (new() { MaxDepth = 3 }, [File("1/2/3")], [File("1/2/3/4")]),
        [LayerLimits.Keys.HeaderBytes] = (new() { MaxHeaderBytes = 50 }, [RawTar.Pax('x', "comment=" + new string('x', 30)), File("a")], [RawTar.Pax('x', "comment=" + new string('x', 50)), File("a")]),
        [LayerLimits.Keys.GlobalRecords] = (new() { MaxGlobalRecords = 1 }, [RawTar.Pax('g', "a=1")], [RawTar.Pax('g', "a=1", "b=2")]),
        [LayerLimits.Keys.XattrBytes] = (new() { MaxXattrBytes = 5 }, [Xattr(1, 5), File("a")], [Xattr(1, 6), File("a")]),
        [LayerLimits.Keys.EntryXattrBytes] = (new() { MaxEntryXattrBytes = 34 }, [Xattr(2, 9), File("a")], [Xattr(2, 10), File("a")]),
        [LayerLimits.Keys.SparseSegments] = (new() { MaxSparseSegments = 2 }, [Sparse("0,1,4,0"), File("a", "x")], [Sparse("0,1,4,0,5,0"), File("a", "x")]),
        [LayerLimits.Keys.Expansion] = (
            new() { MaxExpansion = 100, ExpansionFloorBytes = 1 << 20 }, [RawTar.Entry("a", '0', new byte[1_000_000])], [RawTar.Entry("a", '0', new byte[4_000_000])]),
    };

    private readonly string _work = Directory.CreateTempSubdirectory("limits-").FullName;
    private readonly LayerBench _bench;

    protected LayerLimitsSuite(LayerBench bench)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _bench = bench;
    }

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    public void Dispose()
    {
        _bench.Dispose();
        TreeRemover.RemoveTree(_work);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Apply_AtALimitAndBeyond_NamesTheKey(string key)
    {
        var (limits, fits, tooMuch) = s_cases[key];
        Apply(fits, limits);

        var error = Assert.Throws<ImageStoreException>(() => Apply(tooMuch, limits));
        Assert.Equal(ErrorKind.LimitExceeded, error.Kind);
        Assert.Contains($"'{key}'", error.Remedy, StringComparison.Ordinal);
        Assert.Matches("limit of [0-9]+ for ", error.Message);
    }

    [Fact]
    public void Apply_MuchFromLittleBelowTheFloor_IsUnpacked() =>
        Assert.Equal(4_000_000, Apply([RawTar.Entry("a", '0', new byte[4_000_000])], new LayerLimits { MaxExpansion = 1 }).UnpackedBytes);

    [Fact]
    public void Limits_Usual_AreWithinWhatMayBeConfigured()
    {
        Assert.InRange(LayerLimits.DefaultDepth, 1, LayerLimits.GreatestDepth);
        Assert.InRange(LayerLimits.DefaultHeaderBytes, 1, LayerLimits.GreatestHeaderBytes);
        Assert.InRange(LayerLimits.DefaultEntryXattrBytes, LayerLimits.DefaultXattrBytes, LayerLimits.GreatestHeaderBytes);
    }

    private static byte[] File(string name, string text = "") => RawTar.Entry(name, '0', System.Text.Encoding.ASCII.GetBytes(text));

    // Of names with eight bytes each.
    private static byte[] Xattr(int count, int bytes) =>
        RawTar.Pax('x', [.. Enumerable.Range(0, count).Select(i => $"SCHILY.xattr.user.{(char)('a' + i)}aa={new string('v', bytes)}")]);

    private static byte[] Sparse(string map) => RawTar.Pax('x', "GNU.sparse.size=10", "GNU.sparse.map=" + map);

    private AppliedLayer Apply(byte[][] entries, LayerLimits limits)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write([.. entries.SelectMany(entry => entry)]);
        }

        var directory = Directory.CreateDirectory(Path.Combine(_work, Guid.NewGuid().ToString("N"))).FullName;
        return StackBench.Apply(_bench, packed.ToArray(), directory, [], limits);
    }
}
