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

    /// <summary>Deletes those of a root, but for those that another process is deleting.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The disk refuses.</exception>
    public static void Delete(string rootDirectory, CancellationToken cancellationToken)
    {
        foreach (var kind in Kinds(rootDirectory))
        {
            DeleteKind(kind, cancellationToken);
        }
    }

    internal static void DeleteKind(string directory, CancellationToken cancellationToken)
    {
        foreach (var tree in Directory.GetDirectories(directory, Pattern))
        {
            cancellationToken.ThrowIfCancellationRequested();
            // A process that died while it probed leaves its mount behind.
            var probed = Path.Combine(tree, OverlayProbe.MergedName);
            if (MountPoint.Is(probed))
            {
                _ = MountSyscalls.Unmount(probed, MountSyscalls.DetachFlag | MountSyscalls.NoFollowFlag);
            }

            Delete(tree, RemovalBudget.Unlimited);
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
                TreeRemover.RemoveTree(tree, budget.Take);
            }
        }
        catch (Exception) when (!Directory.Exists(tree))
        {
            // Another sweep was faster.
        }
    }

    private static string[] Kinds(string rootDirectory)
    {
        var all = Path.Combine(rootDirectory, SnapshotDirectories.FolderName);
        return Directory.Exists(all) ? Directory.GetDirectories(all) : [];
    }
}
