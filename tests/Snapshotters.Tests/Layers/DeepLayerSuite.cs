using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>A tree is never deeper than the limit, so that no walk of it runs out of descriptors or stack.</summary>
public abstract class DeepLayerSuite : IDisposable
{
    private readonly string _work = Directory.CreateTempSubdirectory("deep-").FullName;

    private readonly LayerBench _bench;

    protected DeepLayerSuite(LayerBench bench)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _bench = bench;
    }

    public void Dispose()
    {
        _bench.Dispose();
        TreeRemover.RemoveTree(_work);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Apply_ChainAtTheLimit_IsMergedAndRemoved()
    {
        var path = Chain(new LayerLimits().MaxDepth - 1);
        Apply(TarBytes.File(path + "/f", "x"));
        var tree = Directory.CreateDirectory(Path.Combine(_work, "tree")).FullName;
        LayerMerger.MergeOnto(Path.Combine(_work, "layer"), tree, new LayerFormat("trusted.overlay.opaque"), CancellationToken.None);

        Assert.Equal("x", File.ReadAllText(Path.Combine(tree, path, "f")));
    }

    [Fact]
    public void Apply_FiveThousandDeep_LimitExceeded()
    {
        var error = Assert.Throws<ImageStoreException>(() => Apply(TarBytes.Folder(Chain(5000))));

        Assert.Equal(ErrorKind.LimitExceeded, error.Kind);
    }

    [Fact]
    public void Apply_DeepByLinks_LimitExceeded()
    {
        var chain = Chain(200);
        List<System.Formats.Tar.TarEntry> entries = [];
        for (var i = 0; i < 25; i++)
        {
            var above = i == 0 ? "" : $"l{i - 1}/";
            entries.Add(TarBytes.Folder(above + chain));
            entries.Add(TarBytes.Symlink($"l{i}", above + chain));
        }

        var error = Assert.Throws<ImageStoreException>(() => Apply([.. entries]));

        Assert.Equal(ErrorKind.LimitExceeded, error.Kind);
    }

    private static string Chain(int depth) => string.Join('/', Enumerable.Repeat("d", depth));

    private void Apply(params System.Formats.Tar.TarEntry[] entries)
    {
        var layer = Directory.CreateDirectory(Path.Combine(_work, "layer")).FullName;
        _bench.Apply(new MemoryStream(TarBytes.Of(entries)), LayerCompression.None, layer, new LayerLimits());
    }
}
