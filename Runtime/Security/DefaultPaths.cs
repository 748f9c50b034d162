namespace ImageStore.Runtime.Security;

/// <summary>What a container sees of the kernel's own files is cut: these are containerd's newest lists.</summary>
internal static class DefaultPaths
{
    /// <summary>Hidden: secrets of the host, what lets guess them, and what wakes devices.</summary>
    public static IReadOnlyList<string> Masked { get; } =
    [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/scsi", "/proc/sched_debug",
        "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
    ];

    /// <summary>Readable: what is written there changes the host.</summary>
    public static IReadOnlyList<string> Readonly { get; } = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
}
