using System.Security.Cryptography;
using System.Text;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Mounts;

/// <summary>Mounts of images on directories; the snapshot behind a mount is found again by the directory.</summary>
internal sealed class ImageMounts(ISnapshotter snapshotter)
{
    /// <summary>What the keys of snapshots behind mounts begin with.</summary>
    private const string KeyPrefix = "mount-";

    private const string TargetLabel = "imagestore/mount.target";

    /// <summary>Mounts the chain on <paramref name="directory"/>; writes go to a snapshot that the unmount removes.</summary>
    public async Task MountAsync(
        Digest chainId, string directory, bool readWrite, IdMapPair? maps, CancellationToken cancellationToken)
    {
        var target = Path.GetFullPath(directory);
        var key = Key(target);
        if (await snapshotter.StatAsync(key, cancellationToken).ConfigureAwait(false) is not null)
        {
            // Left by a mount that a reboot or a plain umount undid.
            if (MountPoint.Is(target))
            {
                throw new ImageStoreException(
                    ErrorKind.AlreadyExists,
                    $"An image is mounted on {Printable.Of(target)} already.",
                    $"'imagestore unmount {Printable.Of(target)}' undoes it.");
            }

            await snapshotter.RemoveAsync(key, cancellationToken).ConfigureAwait(false);
        }

        var labels = new Dictionary<string, string>(maps?.ToLabels() ?? []) { [Labels.Root] = "mounted", [TargetLabel] = target };
        var mounts = readWrite
            ? await snapshotter.PrepareAsync(key, chainId.ToString(), labels, cancellationToken).ConfigureAwait(false)
            : await snapshotter.ViewAsync(key, chainId.ToString(), labels, cancellationToken).ConfigureAwait(false);
        try
        {
            Mounter.MountAll(mounts, target);
        }
        catch
        {
            await snapshotter.RemoveAsync(key, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Undoes <see cref="MountAsync"/>.</summary>
    /// <exception cref="ImageStoreException">Nothing of ours is mounted there (<see cref="ErrorKind.NotFound"/>), or it is in
    /// use (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public async Task UnmountAsync(string directory, CancellationToken cancellationToken)
    {
        var target = Path.GetFullPath(directory);
        var key = Key(target);
        if (await snapshotter.StatAsync(key, cancellationToken).ConfigureAwait(false) is null)
        {
            throw new ImageStoreException(
                ErrorKind.NotFound,
                $"No image of this namespace and snapshotter is mounted on {Printable.Of(target)}.",
                "'imagestore snapshots ls' shows the mounts; for other mounts there is umount.");
        }

        await Mounter.UnmountAllAsync(target, detach: false, cancellationToken).ConfigureAwait(false);
        await snapshotter.RemoveAsync(key, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>The key of the snapshot behind a mount on <paramref name="target"/>, a full path.</summary>
    public static string Key(string target) =>
        KeyPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target)))[..32];
}
