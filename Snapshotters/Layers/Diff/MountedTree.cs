using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>A tree that is mounted for as long as it is looked at.</summary>
internal sealed class MountedTree : IDisposable
{
    private MountedTree(string path) => Path = path;

    public string Path { get; }

    /// <summary>Mounts, or returns null when there are no mounts.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The kernel refuses.</exception>
    public static MountedTree? Of(IReadOnlyList<Mount> mounts)
    {
        if (mounts.Count == 0)
        {
            return null;
        }

        var tree = new MountedTree(Directory.CreateTempSubdirectory("imagestore-diff-").FullName);
        try
        {
            Mounter.MountAll(mounts, tree.Path);
            return tree;
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        // Detached: a handle that is still open must not keep it in sight.
        while (MountPoint.Is(Path) && MountSyscalls.Unmount(Path, MountSyscalls.DetachFlag | MountSyscalls.NoFollowFlag) == 0)
        {
        }

        Directory.Delete(Path);
    }
}
