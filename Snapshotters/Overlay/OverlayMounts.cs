using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Overlay;

/// <summary>Spells the mount of a stack of directories, for whichever snapshotter keeps them.</summary>
internal static class OverlayMounts
{
    /// <summary>Never wait for the disk; after a crash the kernel does not mount it again.</summary>
    public const string Volatile = "volatile";

    /// <summary>The most directories that the kernel stacks below the upper one.</summary>
    public const int MaxLowers = 500;

    /// <summary>A read-only stack; overlayfs takes no fewer than two directories of one.</summary>
    /// <param name="features">What the machine's overlayfs needs.</param>
    /// <param name="lowers">The directories, topmost first.</param>
    public static Mount View(OverlayFeatures features, IReadOnlyList<string> lowers) =>
        new("overlay", "overlay", [.. Common(features), Lowers(lowers)]);

    /// <summary>A stack whose changes go to <paramref name="upper"/>.</summary>
    /// <param name="features">What the machine's overlayfs needs.</param>
    /// <param name="lowers">The directories, topmost first.</param>
    /// <param name="upper">Takes the changes.</param>
    /// <param name="work">An empty directory on the file system of <paramref name="upper"/>.</param>
    public static Mount Active(OverlayFeatures features, IReadOnlyList<string> lowers, string upper, string work) =>
        new("overlay", "overlay", [.. Common(features), "workdir=" + work, "upperdir=" + upper, Lowers(lowers)]);

    private static IEnumerable<string> Common(OverlayFeatures features) =>
        new[] { features.IndexOff ? "index=off" : null, features.UserXattr ? "userxattr" : null }.OfType<string>().Concat(features.Chosen);

    private static string Lowers(IReadOnlyList<string> lowers) => "lowerdir=" + string.Join(':', lowers);
}
