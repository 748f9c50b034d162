using System.Globalization;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Overlay;

namespace ImageStore.Snapshotters.Snapshots;

/// <summary>The trees of snapshots that are removed already, and whose files are still to be deleted.</summary>
public static class RemovedTrees
{
    private const string Pattern = SnapshotDirectories.RemovingPrefix + "*";

    /// <summary>Whether a root has any.</summary>
    public static bool Any(string rootDirectory) => Kinds(rootDirectory).SelectMany(Snapshots).Any();

    /// <summary>Deletes those of a root as far as the budget reaches, but for those that another process is deleting.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The disk refuses.</exception>
    public static void Delete(string rootDirectory, RemovalBudget budget, CancellationToken cancellationToken)
    {
        foreach (var tree in Kinds(rootDirectory).SelectMany(Snapshots))
        {
            cancellationToken.ThrowIfCancellationRequested();
            DeleteTree(tree, budget);
        }
    }

    /// <summary>Deletes those of one snapshotter and what probes left, for the process that holds the root.</summary>
    internal static void DeleteAll(string directory)
    {
        foreach (var tree in Directory.GetDirectories(directory, Pattern))
        {
            DeleteTree(tree, RemovalBudget.Unlimited);
        }
    }

    /// <summary>Deletes a tree as far as the budget reaches, unless another process is at it.</summary>
    internal static void DeleteTree(string tree, RemovalBudget budget)
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

    // Without the root, a probe may be another process's that is under way.
    private static IEnumerable<string> Snapshots(string directory) => Directory.GetDirectories(directory, Pattern)
        .Where(tree => long.TryParse(Path.GetFileName(tree).AsSpan(SnapshotDirectories.RemovingPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out _));

    private static string[] Kinds(string rootDirectory)
    {
        var all = Path.Combine(rootDirectory, SnapshotDirectories.FolderName);
        return Directory.Exists(all) ? Directory.GetDirectories(all) : [];
    }
}
