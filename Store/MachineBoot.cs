namespace ImageStore.Store;

/// <summary>Tells one run of the machine from the next.</summary>
public static class MachineBoot
{
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    private static readonly Lazy<string> s_id = new(() => File.ReadAllText(BootIdFile).Trim());

    /// <summary>The kernel's name for this run.</summary>
    public static string Id => s_id.Value;
}
