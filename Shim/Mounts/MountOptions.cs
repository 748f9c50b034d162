using ImageStore.Store.Errors;

namespace ImageStore.Shim.Mounts;

/// <summary>A mount's options, as mount(8) has them, taken apart into what mount(2) takes.</summary>
/// <param name="Flags">Those with a flag.</param>
/// <param name="Propagation">How mounts below it spread, which is a call of its own; 0 where nothing is said.</param>
/// <param name="Data">Those that are the filesystem's.</param>
internal sealed record MountOptions(ulong Flags, ulong Propagation, IReadOnlyList<string> Data)
{
    private const int MostOptions = 4096;

    private static readonly Dictionary<string, (ulong Flag, bool IsCleared)> s_flags = new(StringComparer.Ordinal)
    {
        ["ro"] = (1, false),
        ["rw"] = (1, true),
        ["nosuid"] = (2, false),
        ["suid"] = (2, true),
        ["nodev"] = (4, false),
        ["dev"] = (4, true),
        ["noexec"] = (8, false),
        ["exec"] = (8, true),
        ["sync"] = (16, false),
        ["async"] = (16, true),
        ["remount"] = (32, false),
        ["mand"] = (64, false),
        ["nomand"] = (64, true),
        ["dirsync"] = (128, false),
        ["noatime"] = (1024, false),
        ["atime"] = (1024, true),
        ["nodiratime"] = (2048, false),
        ["diratime"] = (2048, true),
        ["bind"] = (4096, false),
        ["rbind"] = (4096 | 16384, false),
        ["relatime"] = (1 << 21, false),
        ["norelatime"] = (1 << 21, true),
        ["strictatime"] = (1 << 24, false),
        ["nostrictatime"] = (1 << 24, true),
        ["defaults"] = (0, false),
    };

    private static readonly Dictionary<string, ulong> s_propagation = new(StringComparer.Ordinal)
    {
        ["unbindable"] = 1 << 17,
        ["runbindable"] = (1 << 17) | 16384,
        ["private"] = 1 << 18,
        ["rprivate"] = (1 << 18) | 16384,
        ["slave"] = 1 << 19,
        ["rslave"] = (1 << 19) | 16384,
        ["shared"] = 1 << 20,
        ["rshared"] = (1 << 20) | 16384,
    };

    /// <summary>Takes them apart.</summary>
    /// <exception cref="ImageStoreException">One asks for what is not done here.</exception>
    public static MountOptions Parse(IReadOnlyCollection<string> options)
    {
        if (options.Count > MostOptions)
        {
            throw new ImageStoreException(ErrorKind.LimitExceeded, $"A mount has more than {MostOptions} options.");
        }

        ulong flags = 0, propagation = 0;
        var data = new List<string>();
        foreach (var option in options)
        {
            if (s_flags.TryGetValue(option, out var known))
            {
                flags = known.IsCleared ? flags & ~known.Flag : flags | known.Flag;
            }
            else if (s_propagation.TryGetValue(option, out var spread))
            {
                propagation |= spread;
            }
            else if (option == "loop" || option.StartsWith("uidmap=", StringComparison.Ordinal) || option.StartsWith("gidmap=", StringComparison.Ordinal))
            {
                throw new ImageStoreException(
                    ErrorKind.Unsupported, $"This shim does not mount with the option {Printable.Of(option)}.", "Use a snapshotter that mounts it itself.");
            }
            else if (option.Length > 0)
            {
                data.Add(option);
            }
        }

        return new MountOptions(flags, propagation, data);
    }
}
