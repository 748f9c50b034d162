namespace ImageStore.Snapshotters.Snapshots;

/// <summary>Tells one run of the machine from the next.</summary>
internal static class MachineBoot
{
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    public static string ReadId() => File.ReadAllText(BootIdFile).Trim();
}
