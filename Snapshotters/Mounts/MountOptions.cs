namespace ImageStore.Snapshotters.Mounts;

/// <summary>Options in the words of mount(8), split into flags and the file system's own data.</summary>
internal sealed record MountOptions(ulong Flags, IReadOnlyList<string> Data)
{
    public const ulong ReadOnly = 1;
    public const ulong Remount = 32;
    public const ulong Bind = 4096;
    public const ulong Recursive = 16384;
    public const ulong Private = 1 << 18;

    private static readonly Dictionary<string, ulong> s_flags = new(StringComparer.Ordinal)
    {
        ["ro"] = ReadOnly,
        ["nosuid"] = 2,
        ["nodev"] = 4,
        ["noexec"] = 8,
        ["sync"] = 16,
        ["remount"] = Remount,
        ["dirsync"] = 128,
        ["noatime"] = 1024,
        ["nodiratime"] = 2048,
        ["bind"] = Bind,
        ["rbind"] = Bind | Recursive,
        ["relatime"] = 1 << 21,
        ["strictatime"] = 1 << 24,
    };

    private static readonly Dictionary<string, ulong> s_clears = new(StringComparer.Ordinal)
    {
        ["rw"] = ReadOnly,
        ["suid"] = 2,
        ["dev"] = 4,
        ["exec"] = 8,
        ["async"] = 16,
        ["atime"] = 1024,
        ["defaults"] = 0,
    };

    public static MountOptions Parse(IReadOnlyList<string> options)
    {
        ulong flags = 0;
        var data = new List<string>();
        foreach (var option in options)
        {
            if (s_flags.TryGetValue(option, out var set))
            {
                flags |= set;
            }
            else if (s_clears.TryGetValue(option, out var clear))
            {
                flags &= ~clear;
            }
            else
            {
                data.Add(option);
            }
        }

        return new MountOptions(flags, data);
    }

    public string DataText => string.Join(',', Data);
}
