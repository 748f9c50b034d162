namespace ImageStore.Snapshotters.Overlay;

/// <summary>What a user may choose of how overlays are mounted.</summary>
public sealed record OverlayOptions
{
    // What has a meaning here, such as where the layers are and how they are marked, is not for others to say.
    private static readonly Dictionary<string, string[]> s_known = new(StringComparer.Ordinal)
    {
        ["default_permissions"] = [],
        ["noatime"] = [],
        ["nodev"] = [],
        ["nodiratime"] = [],
        ["noexec"] = [],
        ["nosuid"] = [],
        ["relatime"] = [],
        ["strictatime"] = [],
        ["uuid"] = ["auto", "null", "off", "on"],
        ["xino"] = ["auto", "off", "on"],
    };

    /// <summary>May what is written to an active snapshot be lost when the machine goes down? It then never waits for the disk.</summary>
    public bool Volatile { get; init; }

    /// <summary>Further options, each of which <see cref="Fault"/> finds nothing wrong with.</summary>
    public IReadOnlyList<string> MountOptions { get; init; } = [];

    /// <summary>Why an option cannot be given; null when it can.</summary>
    public static string? Fault(string option)
    {
        ArgumentNullException.ThrowIfNull(option);
        var (name, value) = option.Split('=', 2) is [var before, var after] ? (before, after) : (option, null);
        if (!s_known.TryGetValue(name, out var values))
        {
            return $"a mount option is one of {string.Join(", ", s_known.Keys)}";
        }

        return values.Length == 0
            ? value is null ? null : $"{name} has no value"
            : value is not null && values.Contains(value, StringComparer.Ordinal) ? null : $"{name} is one of {string.Join(", ", values.Select(known => $"{name}={known}"))}";
    }

    /// <summary>Those of the options that any mount has, a bind as well.</summary>
    internal IEnumerable<string> OfAnyMount => MountOptions.Where(Mounts.MountOptions.IsFlag);
}
