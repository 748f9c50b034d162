using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>The mounts of layers' images, each once, for as long as somebody stands on the layer.</summary>
/// <param name="directories">Where the layers are.</param>
/// <param name="isLoop">Over loop devices, where the kernel mounts no files by themselves?</param>
internal sealed class LayerMounts(SnapshotDirectories directories, bool isLoop)
{
    private readonly Lock _gate = new();

    /// <summary>Mounts a layer, if it is not mounted yet; where it is.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The image is not there or damaged, or the kernel refuses.</exception>
    public string Mount(long id)
    {
        var target = directories.Mounted(id);
        lock (_gate)
        {
            if (!MountPoint.Is(target))
            {
                DirectoryHandle.Make(target, SnapshotDirectories.Private);
                MountImage(directories.Image(id), target, isLoop);
            }
        }

        return target;
    }

    /// <summary>Unmounts those of the layers that nobody stands on any more.</summary>
    /// <param name="ids">The layers.</param>
    /// <param name="used">Finds the layers that somebody stands on.</param>
    public void Release(IEnumerable<long> ids, Func<HashSet<long>> used)
    {
        lock (_gate)
        {
            var mounted = ids.Where(id => MountPoint.Is(directories.Mounted(id))).ToList();
            if (mounted.Count == 0)
            {
                return;
            }

            var needed = used();
            foreach (var id in mounted.Where(id => !needed.Contains(id)))
            {
                // Detached: whoever looks into it at this moment may end that.
                _ = MountSyscalls.Unmount(directories.Mounted(id), MountSyscalls.DetachFlag | MountSyscalls.NoFollowFlag);
            }
        }
    }

    /// <summary>Unmounts what a process that died has left mounted.</summary>
    public void Sweep(Func<HashSet<long>> used) => Release(directories.Ids(), used);

    /// <summary>Mounts one image.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The kernel refuses.</exception>
    public static void MountImage(string image, string target, bool isLoop)
    {
        if (!isLoop)
        {
            Mounter.MountAll([new Mount(ErofsSnapshotter.SnapshotterName, image, ["ro"])], target);
            return;
        }

        // The device is let go by the kernel when the last mount of it is gone; until it is mounted, this holds it.
        using var device = LoopDevice.Attach(image);
        Mounter.MountAll([new Mount(ErofsSnapshotter.SnapshotterName, device.Path, ["ro"])], target);
    }
}
