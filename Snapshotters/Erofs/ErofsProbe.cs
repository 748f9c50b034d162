using ImageStore.Snapshotters.Erofs.Image;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Overlay;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>Tries how this machine mounts images: by themselves, or over loop devices.</summary>
internal static class ErofsProbe
{
    /// <summary>How layers are mounted, or why they cannot be.</summary>
    /// <remarks>
    /// A file that is mounted by itself counts as a level of its own for the kernel, which stacks no more than two: where the
    /// root is on an overlayfs already, only a loop device helps.
    /// </remarks>
    public static (LayerMounts? Mounts, string? Reason) Run(SnapshotDirectories directories, OverlayFeatures features)
    {
        if (features.UserXattr)
        {
            return (null, "a user namespace may not mount EROFS");
        }

        var place = Path.Combine(directories.Root, SnapshotDirectories.RemovingPrefix + "probe-" + Guid.NewGuid());
        try
        {
            Directory.CreateDirectory(place);
            var image = Path.Combine(place, SnapshotPlaces.ImageName);
            using (var builder = ImageBuilder.Create(image))
            {
                builder.Finish(CancellationToken.None);
            }

            string? reason = null;
            foreach (var isLoop in new[] { false, true })
            {
                reason = Try(place, image, features, isLoop);
                if (reason is null)
                {
                    return (new LayerMounts(directories, isLoop), null);
                }
            }

            return (null, reason);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ImageStoreException)
        {
            var told = failure as ImageStoreException ?? IoErrors.From(failure, $"Trying EROFS in {directories.Root}");

            // On a full disk nothing can be tried, and yet what is there has to be listed and removed.
            return told.Kind == ErrorKind.NoSpace ? (new LayerMounts(directories, isLoop: false), null) : throw told;
        }
        finally
        {
            RemovedTrees.DeleteTree(place, RemovalBudget.Unlimited);
        }
    }

    private static string? Try(string place, string image, OverlayFeatures features, bool isLoop)
    {
        var lower = Directory.CreateDirectory(Path.Combine(place, SnapshotPlaces.MountedName)).FullName;
        var merged = Directory.CreateDirectory(Path.Combine(place, OverlayProbe.MergedName)).FullName;
        var second = Directory.CreateDirectory(Path.Combine(place, "second")).FullName;
        try
        {
            LayerMounts.MountImage(image, lower, isLoop);
            Mounter.MountAll([OverlayMounts.View(features, [lower, second])], merged);
            return null;
        }
        catch (ImageStoreException refused) when (refused.Kind is not (ErrorKind.NoSpace or ErrorKind.Unavailable))
        {
            return refused.Message.TrimEnd('.');
        }
        finally
        {
            RemovedTrees.Unmount(place);
        }
    }
}
