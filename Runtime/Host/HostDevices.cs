using ImageStore.Runtime.Options;
using ImageStore.Runtime.Spec;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Runtime.Host;

/// <summary>Device nodes of this machine.</summary>
internal static class HostDevices
{
    private const string Folder = "/dev/";
    private const int MaxDevices = 10_000;
    private const int MaxDepth = 16;

    // Every container has its own of these, or they are no devices.
    private static readonly string[] s_own = ["pts", "shm", "fd", "mqueue", "console", ".lxc", ".lxd-mounts", ".udev"];

    /// <summary>The nodes of <paramref name="wanted"/>: itself, or all below a folder; and the rules that let them be used.</summary>
    /// <exception cref="ImageStoreException">It is not there (<see cref="ErrorKind.NotFound"/>), or no device (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static IEnumerable<(DeviceSpec Node, DeviceRule Rule)> Find(DeviceText wanted)
    {
        var isLink = FileMetadata.TryGet(wanted.Source) is { IsSymlink: true };
        var real = isLink ? File.ResolveLinkTarget(wanted.Source, returnFinalTarget: true)!.FullName : wanted.Source;
        if (FileMetadata.TryGet(real) is not { } found)
        {
            throw new ImageStoreException(ErrorKind.NotFound, $"The device {Printable.Of(wanted.Source)} is not there.", "'ls -l /dev' shows what is.");
        }

        // Elsewhere lie the nodes of images, and the whiteouts of overlayfs.
        var nodes = !found.IsDirectory ? [Node(found, wanted.Destination)]
            : $"{real}/".StartsWith(Folder, StringComparison.Ordinal) ? Below(real, wanted.Destination).ToList<DeviceSpec?>()
            : [];
        if (nodes is [] or [null])
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"{Printable.Of(wanted.Source)} is no device, nor a folder of devices in /dev.", "'ls -l /dev' shows what is.");
        }

        return nodes.OfType<DeviceSpec>().Select(node => (node, new DeviceRule
        {
            Allow = true, Type = node.Type, Major = node.Major, Minor = node.Minor, Access = wanted.Access,
        }));
    }

    /// <summary>All nodes of this machine's <c>/dev</c> that a container does not have anyway.</summary>
    public static IEnumerable<DeviceSpec> All() => Below(Folder, Folder);

    private static IEnumerable<DeviceSpec> Below(string folder, string shown)
    {
        var count = 0;
        Stack<(string Folder, string Shown, int Depth)> open = new([(folder, shown, 1)]);
        while (open.TryPop(out var next))
        {
            foreach (var name in Names(next.Folder).Order(StringComparer.Ordinal))
            {
                var (path, inside) = (Path.Combine(next.Folder, name), $"{next.Shown.TrimEnd('/')}/{name}");
                if (s_own.Contains(name) || FileMetadata.TryGet(path) is not { } found)
                {
                    continue;
                }

                if (found.IsDirectory && next.Depth < MaxDepth)
                {
                    open.Push((path, inside, next.Depth + 1));
                }
                else if (Node(found, inside) is { } node && ++count <= MaxDevices)
                {
                    yield return node;
                }
            }
        }
    }

    private static IEnumerable<string> Names(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(folder).Take(MaxDevices).Select(path => Path.GetFileName(path))];
        }
        catch (Exception gone) when (gone is UnauthorizedAccessException or DirectoryNotFoundException)
        {
            // What may not be read, or went meanwhile, has nothing for a container.
            return [];
        }
    }

    private static DeviceSpec? Node(FileMetadata found, string path) => found.DeviceKind is { } kind
        ? new DeviceSpec
        {
            Type = kind.ToString(), Path = path, Major = found.Device.Major, Minor = found.Device.Minor, FileMode = found.Permissions, Uid = found.Uid, Gid = found.Gid,
        }
        : null;
}
