using System.Runtime.InteropServices;
using System.Text;
using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>Performs and undoes the mounts that snapshotters hand out.</summary>
public static class Mounter
{
    /// <summary>What mount(2) takes as data: a page, its terminator included.</summary>
    private const int MaxDataBytes = 4096;
    private const int BusyAttempts = 20;
    private static readonly TimeSpan s_busyDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>Applies <paramref name="mounts"/> in order onto <paramref name="target"/>, or none of them.</summary>
    /// <exception cref="ImageStoreException">The target is not a free directory, or the kernel refuses.</exception>
    public static void MountAll(IReadOnlyList<Mount> mounts, string target)
    {
        CheckTarget(target);
        var done = 0;
        try
        {
            foreach (var mount in mounts)
            {
                MountOne(mount, target);
                done++;
            }
        }
        catch
        {
            for (; done > 0; done--)
            {
                _ = MountSyscalls.Unmount(target, MountSyscalls.DetachFlag);
            }

            throw;
        }
    }

    /// <summary>Undoes the topmost mount on <paramref name="target"/>.</summary>
    /// <param name="target">The mount point.</param>
    /// <param name="detach">Take it out of sight even while files in it are open.</param>
    /// <param name="cancellationToken">Ends the wait for a busy mount.</param>
    /// <exception cref="ImageStoreException">It is no mount point, or it stays in use.</exception>
    public static async Task UnmountAsync(string target, bool detach, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var flags = MountSyscalls.NoFollowFlag | (detach ? MountSyscalls.DetachFlag : 0);
            if (MountSyscalls.Unmount(target, flags) == 0)
            {
                return;
            }

            var errno = Marshal.GetLastPInvokeError();
            if (errno == Errno.EBUSY && attempt < BusyAttempts)
            {
                await Task.Delay(s_busyDelay, cancellationToken).ConfigureAwait(false);
                continue;
            }

            throw errno switch
            {
                Errno.EBUSY => new ImageStoreException(
                    ErrorKind.FailedPrecondition,
                    $"{Printable.Of(target)} is in use and cannot be unmounted.",
                    "End the processes that use it, or unmount it detached."),
                Errno.EINVAL => new ImageStoreException(
                    ErrorKind.FailedPrecondition, $"{Printable.Of(target)} is not a mount point."),
                _ => Errno.ToException(errno, $"{Printable.Of(target)} cannot be unmounted"),
            };
        }
    }

    /// <summary>Undoes every mount stacked on <paramref name="target"/>; none is no error.</summary>
    /// <exception cref="ImageStoreException">One of them stays in use.</exception>
    public static async Task UnmountAllAsync(string target, bool detach, CancellationToken cancellationToken)
    {
        while (MountPoint.Is(target))
        {
            await UnmountAsync(target, detach, cancellationToken).ConfigureAwait(false);
        }
    }

    private static void CheckTarget(string target)
    {
        if (!Directory.Exists(target))
        {
            throw File.Exists(target)
                ? new ImageStoreException(
                    ErrorKind.InvalidArgument, $"{Printable.Of(target)} is not a directory.", "Name a directory.")
                : new ImageStoreException(
                    ErrorKind.NotFound, $"{Printable.Of(target)} does not exist.", "Make the directory first.");
        }

        if (MountPoint.Is(target))
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"Something is mounted on {Printable.Of(target)} already.",
                "Unmount it or name another directory.");
        }
    }

    private static void MountOne(Mount mount, string target)
    {
        var (maps, options) = IdMapPair.Split(MountOptions.Parse(mount.Options));
        if (maps is not null)
        {
            IdMappedMount.Mount(mount, target, options, maps);
            return;
        }

        var isBind = mount.Type == "bind" || (options.Flags & MountOptions.Bind) != 0;
        var errno = isBind ? Bind(mount.Source, target, options) : MountNew(mount, target, options);
        if (errno == 0)
        {
            return;
        }

        throw errno == Errno.ENODEV
            ? new ImageStoreException(
                ErrorKind.Unsupported,
                $"The kernel does not know the file system '{Printable.Of(mount.Type)}'.",
                $"Load its module (modprobe {Printable.Of(mount.Type)}) or use the native snapshotter.")
            : Errno.ToException(errno, $"{Printable.Of(mount.Type)} cannot be mounted on {Printable.Of(target)}");
    }

    internal static int MountNew(Mount mount, string target, MountOptions options)
    {
        if (mount.Type == "overlay" && Encoding.UTF8.GetByteCount(options.DataText) >= MaxDataBytes)
        {
            return LongOverlayMount.Mount(mount.Source, target, options);
        }

        return MountSyscalls.Mount(mount.Source, target, mount.Type, options.Flags, options.DataText) == 0
            ? 0
            : Marshal.GetLastPInvokeError();
    }

    private static int Bind(string source, string target, MountOptions options)
    {
        var binding = options.Flags & (MountOptions.Bind | MountOptions.Recursive) | MountOptions.Bind;
        if (MountSyscalls.Mount(source, target, null, binding, null) != 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        // A bind ignores every other flag; a remount applies them.
        var rest = options.Flags & ~(MountOptions.Bind | MountOptions.Recursive);
        if (rest == 0
            || MountSyscalls.Mount(source, target, null, rest | MountOptions.Bind | MountOptions.Remount, null) == 0)
        {
            return 0;
        }

        var errno = Marshal.GetLastPInvokeError();
        _ = MountSyscalls.Unmount(target, MountSyscalls.DetachFlag);
        return errno;
    }
}
