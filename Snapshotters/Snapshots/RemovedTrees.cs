using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Overlay;
using ImageStore.Snapshotters.Layers;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>The trees of snapshots that are removed already, and whose files are still to be deleted.</summary>
public static class RemovedTrees
{
    private const string Pattern = SnapshotDirectories.RemovingPrefix + "*";

    /// <summary>Whether a root has any.</summary>
    public static bool Any(string rootDirectory) => Kinds(rootDirectory).Any(kind => Directory.EnumerateDirectories(kind, Pattern).Any());

    /// <summary>Deletes those of a root as far as the budget reaches, but for those that another process is deleting.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The disk refuses.</exception>
    public static void Delete(string rootDirectory, RemovalBudget budget, CancellationToken cancellationToken)
    {
        foreach (var kind in Kinds(rootDirectory))
        {
            DeleteKind(kind, budget, cancellationToken);
        }
    }

    internal static void DeleteKind(string directory, RemovalBudget budget, CancellationToken cancellationToken)
    {
        foreach (var tree in Directory.GetDirectories(directory, Pattern))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Delete(tree, budget);
        }
    }

    /// <summary>Deletes a tree as far as the budget reaches, unless another process is at it.</summary>
    internal static void Delete(string tree, RemovalBudget budget)
    {
        try
        {
            using var mine = DirectoryLock.TryExclusive(tree);
            if (mine is not null)
            {
                Unmount(tree);
                TreeRemover.RemoveTree(tree, budget.Take);
            }
        }
        catch (Exception) when (!Directory.Exists(tree))
        {
            // Another sweep was faster.
        }
    }

    /// <summary>Unmounts what is mounted in a snapshot's or a probe's folder: a process that died may have left it.</summary>
    internal static void Unmount(string folder)
    {
        foreach (var name in new[] { OverlayProbe.MergedName, SnapshotPlaces.MountedName })
        {
            var target = Path.Combine(folder, name);
            if (MountPoint.Is(target))
            {
                _ = MountSyscalls.Unmount(target, MountSyscalls.DetachFlag | MountSyscalls.NoFollowFlag);
            }
        }
    }

    private static string[] Kinds(string rootDirectory)
    {
        var all = Path.Combine(rootDirectory, SnapshotDirectories.FolderName);
        return Directory.Exists(all) ? Directory.GetDirectories(all) : [];
    }
}
