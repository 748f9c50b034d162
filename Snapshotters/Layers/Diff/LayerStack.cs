using ImageStore.Snapshotters.Mounts;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>The directories behind mounts, topmost first, where they can be read without mounting.</summary>
internal sealed record LayerStack(IReadOnlyList<string> Directories, bool IsUser)
{
    private const string UpperOption = "upperdir=";
    private const string LowerOption = "lowerdir=";
    private static readonly string[] s_followOptions = ["redirect_dir=follow", "metacopy=on"];

    /// <summary>No tree at all.</summary>
    public static LayerStack Empty { get; } = new([], false);

    /// <summary>The stack of a bind or overlay mount, or null where it takes the kernel to show the tree.</summary>
    public static LayerStack? TryOf(IReadOnlyList<Mount> mounts)
    {
        if (mounts.Count == 0)
        {
            return Empty;
        }

        if (mounts is not [var mount])
        {
            return null;
        }

        switch (mount.Type)
        {
            case "bind":
                return new LayerStack([mount.Source], false);
            case "overlay":
                var upper = Value(mount, UpperOption);
                // An escaped colon or a data-only layer (::) is nothing that our snapshotters make.
                return Value(mount, LowerOption) is { } lower && !lower.Contains('\\', StringComparison.Ordinal)
                    && !lower.Contains("::", StringComparison.Ordinal)
                        ? new LayerStack([.. upper is null ? Array.Empty<string>() : [upper], .. lower.Split(':')], mount.Options.Contains("userxattr"))
                        : null;
            default:
                return null;
        }
    }

    /// <summary>Is this one the other with a layer on top?</summary>
    public bool StandsOn(LayerStack lower) =>
        Directories.Count == lower.Directories.Count + 1 && Directories.Skip(1).SequenceEqual(lower.Directories, StringComparer.Ordinal);

    /// <summary>The mount by which the kernel shows the tree, never for writing: the upper directory may be mounted elsewhere.</summary>
    public IReadOnlyList<Mount> ToReadOnlyMounts() => Directories.Count switch
    {
        0 => [],
        1 => [new Mount("bind", Directories[0], ["bind", "ro"])],
        _ => [new Mount("overlay", "overlay", [
            "ro", .. IsUser ? ["userxattr"] : s_followOptions, LowerOption + string.Join(':', Directories)])],
    };

    private static string? Value(Mount mount, string option) =>
        mount.Options.FirstOrDefault(o => o.StartsWith(option, StringComparison.Ordinal))?[option.Length..];
}
