using System.Globalization;
using ImageStore.Runtime.Mounts;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Shim.Interop;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Mounts;

/// <summary>A container's root: what a snapshotter has it mounted of.</summary>
internal static class Rootfs
{
    private const int MostMounts = 1024;
    private const int UnmountAttempts = 40;
    private const int MostRounds = 64;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Mounts all, each over or into those before it.</summary>
    /// <exception cref="ImageStoreException">One cannot be mounted; those before it are.</exception>
    public static void Mount(IReadOnlyCollection<Mount> mounts, string path)
    {
        if (mounts.Count > MostMounts)
        {
            throw new ImageStoreException(ErrorKind.LimitExceeded, $"A root has more than {MostMounts} mounts.");
        }

        foreach (var mount in mounts)
        {
            if (mount.Target.Length == 0)
            {
                Mount(mount, path, path);
                continue;
            }

            // Whoever made the image decides what is below the root, and must not have the shim mount elsewhere.
            using var root = Descriptors.Open(path, Descriptors.PathOnly);
            var inside = MountCalls.OpenInside(root.DangerousGetHandle(), mount.Target);
            if (inside < 0)
            {
                throw Errno.Failure($"Looking for {Printable.Of(mount.Target)} in the root");
            }

            using var place = new SafeFileHandle(inside, true);
            Mount(mount, string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{inside}"), mount.Target);
        }
    }

    /// <summary>Unmounts everything at a path and below it.</summary>
    /// <remarks>What stays busy for a second goes out of sight at once, and away when nobody uses it any more.</remarks>
    /// <exception cref="ImageStoreException">The kernel refuses, or more is mounted again and again.</exception>
    public static async Task UnmountAsync(string path, TimeProvider time)
    {
        var real = RealPath.Of(path);
        for (var round = 0; round < MostRounds; round++)
        {
            var mounted = MountInfo.Below(real);
            if (mounted.Count == 0)
            {
                return;
            }

            foreach (var target in mounted)
            {
                await UnmountOneAsync(target, time).ConfigureAwait(false);
            }
        }

        throw new ImageStoreException(ErrorKind.Unavailable, $"Something is mounted below {Printable.Of(real)} again and again.");
    }

    private static void Mount(Mount mount, string target, string name)
    {
        if (mount.Type.StartsWith("fuse.", StringComparison.Ordinal) || mount.Type.StartsWith("fuse3.", StringComparison.Ordinal))
        {
            // A program would have to be run, and to stay.
            throw new ImageStoreException(
                ErrorKind.Unsupported, $"This shim does not mount {Printable.Of(mount.Type)}.", "Use a snapshotter that mounts it itself.");
        }

        var options = MountOptions.Parse(mount.Options);
        var data = new MountData(options.Data);
        var error = !data.Fits && mount.Type == "overlay"
            ? OverlayLayers.Mount(mount.Source, target, options)
            : MountCalls.Mount(mount.Source, target, mount.Type, options.Flags, data.Checked()) == 0 ? 0 : Errno.Last;
        if (error == 0 && (options.Flags & MountCalls.Bind) != 0 && (options.Flags & ~(MountCalls.Bind | MountCalls.Recursive)) != 0)
        {
            // A bind mount takes flags only when it is mounted anew.
            error = MountCalls.Mount(string.Empty, target, null, options.Flags | MountCalls.Remount, null) == 0 ? 0 : Errno.Last;
        }

        if (error == 0 && options.Propagation != 0)
        {
            error = MountCalls.Mount(string.Empty, target, null, options.Propagation, null) == 0 ? 0 : Errno.Last;
        }

        if (error != 0)
        {
            throw IoErrors.FromErrno(error, $"Mounting {Printable.Of(mount.Type)} of {Printable.Of(mount.Source)} at {Printable.Of(name)}");
        }
    }

    private static async Task UnmountOneAsync(string target, TimeProvider time)
    {
        for (var attempt = 0; attempt < UnmountAttempts; attempt++)
        {
            if (MountCalls.Unmount(target, MountCalls.DoNotFollow) == 0 || Errno.Last is Errno.Invalid or Errno.NotFound)
            {
                return;
            }

            if (Errno.Last != Errno.Busy)
            {
                throw Errno.Failure($"Unmounting {Printable.Of(target)}");
            }

            await Task.Delay(s_pause, time, CancellationToken.None).ConfigureAwait(false);
        }

        if (MountCalls.Unmount(target, MountCalls.DoNotFollow | MountCalls.Detach) != 0)
        {
            throw Errno.Failure($"Unmounting {Printable.Of(target)}");
        }
    }
}
