using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>Mounts directories and overlays of them with other owners than the files have on disk.</summary>
/// <remarks>
/// <para>
/// An overlay cannot be mapped itself; the directories that it stands on can. Each is cloned, mapped, and laid over itself
/// in a mount namespace that one thread has for its own, so that the options name the same paths as ever. The overlay holds on to what
/// it found there and is all that leaves that namespace: the clones are gone with the thread, also when the process is killed.
/// </para>
/// <para>
/// The upper directory is mapped like the lower ones: what the container's root writes is of root on disk, as it is in every layer, and a
/// commit, a diff and any other map find the right owners. A writer whose id is in no range, such as the machine's own root, gets EOVERFLOW.
/// </para>
/// </remarks>
internal static class IdMappedMount
{
    private const string LowerOption = "lowerdir=";
    private const string UpperOption = "upperdir=";
    private const string WorkOption = "workdir=";
    private const int ThreadStackBytes = 256 * 1024;

    /// <summary>Mounts <paramref name="mount"/>, whose other options are <paramref name="options"/>.</summary>
    /// <exception cref="ImageStoreException">The kernel or the filesystem cannot do it.</exception>
    public static void Mount(Mount mount, string target, MountOptions options, IdMapPair maps)
    {
        using var owners = UserNamespace.Open(maps);
        using var mapped = mount.Type switch
        {
            "overlay" => Overlay(mount, target, options, maps, owners),
            _ when mount.Type == "bind" || (options.Flags & MountOptions.Bind) != 0 => Clone(mount.Source, owners, (ulong)options.Attributes),
            _ => throw new ImageStoreException(
                ErrorKind.Unsupported, $"The owners in a mount of type '{Printable.Of(mount.Type)}' cannot be mapped.", "Mount it without maps of ids."),
        };
        if (MountSyscalls.MoveMount(mapped.DangerousGetHandle(), target) != 0)
        {
            throw Errno.ToException(Marshal.GetLastPInvokeError(), $"{Printable.Of(mount.Type)} cannot be mounted on {Printable.Of(target)}");
        }
    }

    private static SafeFileHandle Overlay(Mount mount, string target, MountOptions options, IdMapPair maps, SafeFileHandle owners)
    {
        SafeFileHandle? made = null;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    made = OverlayInPrivate(mount, target, options, maps, owners);
                }
                catch (Exception refused)
                {
                    failure = ExceptionDispatchInfo.Capture(refused);
                }
            },
            ThreadStackBytes);
        thread.Start();
        thread.Join();
        failure?.Throw();
        return made!;
    }

    // On a thread that ends afterwards: it is in another mount namespace and acts as another user from here on.
    private static SafeFileHandle OverlayInPrivate(
        Mount mount, string target, MountOptions options, IdMapPair maps, SafeFileHandle owners)
    {
        var places = Places(options);
        if (NamespaceSyscalls.Unshare(NamespaceSyscalls.NewMounts) != 0
            || MountSyscalls.Mount("none", "/", null, MountOptions.Recursive | MountOptions.Private, null) != 0)
        {
            throw Refused(Marshal.GetLastPInvokeError(), places[0]);
        }

        foreach (var place in places)
        {
            using var mapped = Clone(place, owners, 0);
            if (MountSyscalls.MoveMount(mapped.DangerousGetHandle(), place) != 0)
            {
                throw Refused(Marshal.GetLastPInvokeError(), place);
            }
        }

        // The overlay writes as whoever mounts it, who has to be in the map.
        if (!NamespaceSyscalls.TryActAs(maps.Users.First, maps.Groups.First))
        {
            throw Refused(Marshal.GetLastPInvokeError(), places[0]);
        }

        var errno = Mounter.MountNew(mount, target, options);
        var isWritable = (options.Flags & MountOptions.ReadOnly) == 0 && options.Data.Any(option => option.StartsWith(UpperOption, StringComparison.Ordinal));
        if (errno != 0 || (isWritable && MountPoint.IsReadOnly(target)))
        {
            // Where it cannot prepare its work directory, the kernel mounts for reading and says nothing.
            throw Refused(errno == 0 ? Errno.EROFS : errno, places[0]);
        }

        using var shown = Detached(MountSyscalls.OpenTree(target));
        if (shown is null)
        {
            throw Refused(Marshal.GetLastPInvokeError(), target);
        }

        // The runtime may have begun a thread of its own from this one, which would keep the namespace, and all in it, for a while.
        foreach (var place in (string[])[target, .. places])
        {
            _ = MountSyscalls.Unmount(place, MountSyscalls.DetachFlag);
        }

        var kept = new SafeFileHandle(shown.DangerousGetHandle(), true);
        shown.SetHandleAsInvalid();
        return kept;
    }

    // The upper and the work directory have to be of one mount: the folder that has both is mapped.
    private static string[] Places(MountOptions options)
    {
        var lowers = Value(options, LowerOption)?.Split(':').Distinct(StringComparer.Ordinal) ?? [];
        return Value(options, UpperOption) is { } upper && Value(options, WorkOption) is { } work
            ? [LongOverlayMount.CommonDirectory([upper, work]), .. lowers]
            : [.. lowers];
    }

    private static SafeFileHandle Clone(string directory, SafeFileHandle owners, ulong flags)
    {
        var clone = Detached(MountSyscalls.OpenTree(directory)) ?? throw Refused(Marshal.GetLastPInvokeError(), directory);
        var attributes = new MountAttributes { Set = MountSyscalls.MapIds | flags, UserNamespace = (ulong)owners.DangerousGetHandle() };
        if (MountSyscalls.SetAttributes(clone.DangerousGetHandle(), in attributes) == 0)
        {
            return clone;
        }

        var errno = Marshal.GetLastPInvokeError();
        clone.Dispose();
        throw Refused(errno, directory);
    }

    private static SafeFileHandle? Detached(nint mount) => mount < 0 ? null : new SafeFileHandle(mount, true);

    private static string? Value(MountOptions options, string name) =>
        options.Data.FirstOrDefault(option => option.StartsWith(name, StringComparison.Ordinal))?[name.Length..];

    private static ImageStoreException Refused(int errno, string directory) => errno is Errno.ENOENT or Errno.EIO or Errno.EMFILE or Errno.ENFILE or Errno.ENOSPC
        ? Errno.ToException(errno, $"The directory {Printable.Of(directory)} cannot be mounted")
        : new ImageStoreException(
            errno is Errno.EPERM or Errno.EACCES ? ErrorKind.PermissionDenied : ErrorKind.Unsupported,
            $"Linux {Kernel()} does not map the owners of files in {Printable.Of(directory)}, on {FileSystem(directory)}: "
                + $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}).",
            "Maps of ids need root of the machine, Linux 5.19, and a filesystem such as ext4, XFS or btrfs. Without the maps it can be mounted.");

    private static string Kernel() => File.ReadAllText("/proc/sys/kernel/osrelease").Trim();

    private static string FileSystem(string directory)
    {
        try
        {
            return Printable.Of(new DriveInfo(directory).DriveFormat);
        }
        catch (IOException)
        {
            return "an unknown filesystem";
        }
    }
}
