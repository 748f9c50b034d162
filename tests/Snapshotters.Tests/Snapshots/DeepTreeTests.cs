using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Snapshotters.Trees;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Tests.Snapshots;

/// <summary>What a container made in its snapshot is as deep as it likes: it is counted and removed all the same.</summary>
public sealed class DeepTreeTests : IDisposable
{
    private const int Deep = 10_000;
    private readonly string _work = Directory.CreateTempSubdirectory("deeptree-").FullName;

    public DeepTreeTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    public void Dispose() => TreeRemover.RemoveTree(_work);

    [Fact]
    public void RemoveTree_DeeperThanAnyPath_IsGone()
    {
        var tree = Grow(Deep);
        TreeRemover.RemoveTree(tree);

        Assert.Empty(Directory.GetFileSystemEntries(_work));
    }

    [Fact]
    public void RemoveTree_ManyBelowTheDepthThatIsMovedUp_AreGone()
    {
        var tree = Grow(63);
        var bottom = Path.Combine([tree, .. Enumerable.Repeat("d", 63)]);
        for (var i = 0; i < 300; i++)
        {
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(bottom, $"{i}", "x")).FullName, "f"), "");
        }

        Directory.CreateDirectory(Path.Combine(tree, ".deep-0", "taken"));
        TreeRemover.RemoveTree(tree);

        Assert.Empty(Directory.GetFileSystemEntries(_work));
    }

    [Fact]
    public void Measure_DeeperThanAnyPath_CountsAll() =>
        Assert.Equal(Deep * 2 + 1, TreeUsage.Measure(Grow(Deep), CancellationToken.None).Inodes);

    [Fact]
    public void Copy_DeeperThanTheLimit_LimitExceeded()
    {
        var copy = Directory.CreateDirectory(Path.Combine(_work, "copy")).FullName;

        var error = Assert.Throws<ImageStoreException>(() => TreeCopier.Copy(Grow(LayerLimits.GreatestDepth), copy, CancellationToken.None));

        Assert.Equal(ErrorKind.LimitExceeded, error.Kind);
    }

    [Fact]
    public void Copy_LinkedFilesInManyDirectories_StayLinked()
    {
        var (tree, copy) = (Directory.CreateDirectory(Path.Combine(_work, "tree")).FullName, Directory.CreateDirectory(Path.Combine(_work, "copy")).FullName);
        using var root = OpenAt.HostDirectory(tree);
        for (var i = 0; i < 50; i++)
        {
            using var folder = OpenAt.HostDirectory(Directory.CreateDirectory(Path.Combine(tree, $"{i}", "\u00e9")).FullName);
            File.WriteAllText(Path.Combine(tree, $"f{i}"), $"{i}");
            NameAt.Link(root, RootedPath.Name($"f{i}"), folder, "l\0"u8, "link");
        }

        TreeCopier.Copy(tree, copy, CancellationToken.None);

        Assert.All(Enumerable.Range(0, 50), i =>
        {
            File.WriteAllText(Path.Combine(copy, $"f{i}"), $"changed {i}");
            Assert.Equal($"changed {i}", File.ReadAllText(Path.Combine(copy, $"{i}", "\u00e9", "l")));
            Assert.Equal($"{i}", File.ReadAllText(Path.Combine(tree, $"f{i}")));
        });
    }

    /// <summary>A chain of directories, each with a file beside the next one.</summary>
    private string Grow(int depth)
    {
        var path = Directory.CreateDirectory(Path.Combine(_work, "tree")).FullName;
        SafeFileHandle at = OpenAt.HostDirectory(path);
        for (var i = 0; i < depth; i++)
        {
            NameAt.MakeDirectory(at, "d\0"u8, 0x1ED, "d");
            using (OpenAt.CreateNew(at, "f\0"u8, 0x1A4))
            {
            }

            var below = OpenAt.Directory(at, "d\0"u8)!;
            at.Dispose();
            at = below;
        }

        at.Dispose();
        return path;
    }
}
