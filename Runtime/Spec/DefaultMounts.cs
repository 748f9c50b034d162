namespace ImageStore.Runtime.Spec;

/// <summary>The mounts that every container has; containerd's.</summary>
internal static class DefaultMounts
{
    /// <summary>The group that terminals belong to, on every distribution.</summary>
    public const uint TerminalGroup = 5;

    private const string TerminalGroupOption = "gid=5";

    /// <summary>The host's sysfs, where the kernel lets none of its own be mounted.</summary>
    public static MountSpec HostSys { get; } = Of("/sys", "bind", "/sys", "rbind", "rprivate", "nosuid", "noexec", "nodev", "ro");

    /// <summary>The control groups, readable: from there programs learn their limits.</summary>
    public static MountSpec Cgroups { get; } = Of("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro");

    /// <summary>In their order.</summary>
    /// <param name="hasTerminalGroup">Does the group of terminals exist?</param>
    public static IEnumerable<MountSpec> All(bool hasTerminalGroup) =>
    [
        Of("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
        Of("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        Of(
            "/dev/pts", "devpts", "devpts",
            ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", .. hasTerminalGroup ? [TerminalGroupOption] : Array.Empty<string>()]),
        Of("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
        Of("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        Of("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        Of("/run", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
    ];

    private static MountSpec Of(string destination, string type, string source, params string[] options) =>
        new() { Destination = destination, Type = type, Source = source, Options = options };
}
