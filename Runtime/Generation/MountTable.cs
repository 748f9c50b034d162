using ImageStore.Runtime.Host;
using ImageStore.Runtime.Options;
using ImageStore.Runtime.Spec;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Generation;

/// <summary>The mounts of a container: those that all have, and the user's.</summary>
internal static class MountTable
{
    private static readonly string[] s_namesOfHosts = ["/etc/hosts", "/etc/resolv.conf"];

    /// <summary>In their order: what the user mounts takes the place of ours, and stands before what is mounted below it.</summary>
    /// <exception cref="ImageStoreException">A source is not there (<see cref="ErrorKind.NotFound"/>), or two are mounted on one place
    /// (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static IReadOnlyList<MountSpec> Of(ContainerOptions options, HostFacts host)
    {
        var given = options.Mounts.Select(mount => mount.Destination).ToHashSet(StringComparer.Ordinal);
        if (given.Count < options.Mounts.Count)
        {
            var twice = options.Mounts.GroupBy(mount => mount.Destination, StringComparer.Ordinal).First(group => group.Count() > 1).Key;
            throw new ImageStoreException(ErrorKind.InvalidArgument, $"Two things are mounted on {Printable.Of(twice)}.", "Mount each on a place of its own.");
        }

        if (options.Mounts.FirstOrDefault(mount => mount.Type == "bind" && !Path.Exists(mount.Source)) is { } missing)
        {
            throw new ImageStoreException(ErrorKind.NotFound, $"{Printable.Of(missing.Source)}, which is to be mounted, is not there.", "Make it first, or check the path.");
        }

        List<MountSpec> all = [.. Usual(options, host).Where(mount => !given.Contains(mount.Destination))];
        foreach (var mount in options.Mounts.OrderBy(mount => mount.Destination.AsSpan().Count('/')))
        {
            // A mount on /dev must not hide what is mounted below it.
            var below = all.FindIndex(other => other.Destination.StartsWith(mount.Destination.TrimEnd('/') + '/', StringComparison.Ordinal));
            all.Insert(below < 0 ? all.Count : below, mount);
        }

        return all;
    }

    private static IEnumerable<MountSpec> Usual(ContainerOptions options, HostFacts host)
    {
        foreach (var mount in DefaultMounts.All(host.HasTerminalGroup))
        {
            yield return mount.Type != "sysfs" ? mount
                : options.HostNetwork && host.InUserNamespace ? DefaultMounts.HostSys
                : options.Privileged ? mount with { Options = [.. mount.Options!.Select(option => option == "ro" ? "rw" : option)] }
                : mount;
        }

        if (host.HasCgroup2)
        {
            yield return DefaultMounts.Cgroups;
        }

        foreach (var file in s_namesOfHosts.Where(file => options.HostNetwork && File.Exists(file)))
        {
            yield return new MountSpec { Destination = file, Type = "bind", Source = file, Options = ["rbind", "ro"] };
        }
    }
}
