using System.Text;
using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Applies raw archives one on top of the other, as overlayfs and as the native snapshotter would.</summary>
internal sealed class StackBench : IDisposable
{
    public static readonly LayerFormat Format = new("trusted.overlay.opaque");

    private static readonly DirectoryBench s_directories = new();
    private readonly LayerBench _bench;
    private readonly string _work = Directory.CreateTempSubdirectory("bench-").FullName;
    private readonly List<string> _lowers = [];

    /// <param name="bench">Where the layers are put; the whole tree comes from directories always. It is disposed of with this.</param>
    public StackBench(LayerBench bench)
    {
        _bench = bench;
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        Tree = Make("tree");
    }

    /// <summary>All layers in one directory.</summary>
    public string Tree { get; }

    /// <summary>The layers' own directories, topmost first.</summary>
    public IReadOnlyList<string> Lowers => _lowers;

    public string Top => _lowers[0];

    public string Make(string name) => Directory.CreateDirectory(Path.Combine(_work, name)).FullName;

    public AppliedLayer Add(params byte[][] entries)
    {
        byte[] archive = [.. entries.SelectMany(entry => entry), .. RawTar.End];
        var directory = Make($"layer-{_lowers.Count}");
        var applied = Apply(_bench, archive, directory, _lowers);
        var merged = Make($"merged-{_lowers.Count}");
        Apply(s_directories, archive, merged, _lowers.Count == 0 ? [] : [Tree]);
        LayerMerger.MergeOnto(merged, Tree, Format, CancellationToken.None);
        _lowers.Insert(0, directory);
        return applied;
    }

    public ImageStoreException Refuses(params byte[][] entries) => Assert.Throws<ImageStoreException>(() => Add(entries));

    public static AppliedLayer Apply(
        LayerBench bench, byte[] archive, string directory, IReadOnlyList<string> lowers, LayerLimits? limits = null)
    {
        var applied = bench.Apply(new MemoryStream(archive), LayerDecompressor.Detect(archive), directory, limits ?? new LayerLimits());
        bench.Settle(applied, directory, lowers);
        return applied;
    }

    public static FileMetadata Stat(string directory, string path)
    {
        using var root = OpenAt.HostDirectory(directory);
        return FileMetadata.TryGet(root, RootedPath.Name(path))!.Value;
    }

    /// <summary>Attributes of a path without overlayfs' own: names in order, with their values in Latin-1.</summary>
    public static string Xattrs(string directory, string path)
    {
        using var root = OpenAt.HostDirectory(directory);
        return string.Join(';', Xattr.List(root, RootedPath.Name(path)).Where(name => !OverlayAttributes.Owns(name))
            .Select(name => Encoding.Latin1.GetString(name)[..^1]).Order(StringComparer.Ordinal)
            .Select(name => $"{name}={Encoding.Latin1.GetString(Xattr.Get(root, RootedPath.Name(path), RootedPath.Name(name))!)}"));
    }

    public void Dispose()
    {
        _bench.Dispose();
        TreeRemover.RemoveTree(_work);
    }
}
