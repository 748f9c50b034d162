using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;

namespace ImageStore.Snapshotters.Tests.Snapshots;

public sealed class RemovedTreesTests : IDisposable
{
    private const long Id = 7;
    private readonly string _root = Directory.CreateTempSubdirectory("removed-").FullName;
    private readonly SnapshotDirectories _directories;

    public RemovedTreesTests() => _directories = new SnapshotDirectories(_root, "native");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Remove_MoreThanTheBudget_TakesItAwayAndLeavesTheRestForLater()
    {
        var files = Fill(20);

        _directories.Remove(Id, new RemovalBudget(5));

        Assert.False(Directory.Exists(_directories.Of(Id)));
        Assert.True(RemovedTrees.Any(_root));
        Assert.Equal(files - 5, Left());
        RemovedTrees.Delete(_root, RemovalBudget.Unlimited, TestContext.Current.CancellationToken);
        Assert.False(RemovedTrees.Any(_root));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directories.Root));
    }

    [Fact]
    public void Remove_WithinTheBudget_LeavesNothing()
    {
        Fill(20);

        // Its files, and the folders fs, work and its own.
        _directories.Remove(Id, new RemovalBudget(23));

        Assert.False(RemovedTrees.Any(_root));
    }

    [Fact]
    public void Delete_WhatAnotherIsDeleting_IsLeftToIt()
    {
        Fill(3);
        var aside = _directories.MoveAside(Id)!;
        using (DirectoryLock.TryExclusive(aside))
        {
            RemovedTrees.Delete(_root, RemovalBudget.Unlimited, TestContext.Current.CancellationToken);
            Assert.Equal(3, Left());
        }

        RemovedTrees.Delete(_root, RemovalBudget.Unlimited, TestContext.Current.CancellationToken);
        Assert.False(RemovedTrees.Any(_root));
    }

    [Fact]
    public void Delete_ProbeThatMayBeAnothers_StaysUntilTheRootIsOpened()
    {
        Directory.CreateDirectory(Path.Combine(_directories.Root, SnapshotDirectories.RemovingPrefix + "probe-1"));
        Assert.False(RemovedTrees.Any(_root));
        RemovedTrees.Delete(_root, RemovalBudget.Unlimited, TestContext.Current.CancellationToken);
        Assert.Single(Directory.GetDirectories(_directories.Root));
        _directories.Sweep(() => []);
        Assert.Empty(Directory.GetDirectories(_directories.Root));
    }

    [Fact]
    public void Any_RootWithoutSnapshots_IsFalse() => Assert.False(RemovedTrees.Any(Path.Combine(_root, "none")));

    private int Fill(int files)
    {
        _directories.Make(Id, withWork: true);
        for (var i = 0; i < files; i++)
        {
            File.WriteAllText(Path.Combine(_directories.Fs(Id), $"f{i}"), "x");
        }

        return files;
    }

    private int Left() => Directory.EnumerateFiles(_directories.Root, "*", SearchOption.AllDirectories).Count();
}
