namespace ImageStore.Snapshotters.Mounts;

/// <summary>Options in the words of mount(8), split into flags and the file system's own data.</summary>
internal sealed record MountOptions(ulong Flags, IReadOnlyList<string> Data)
{
    public const ulong ReadOnly = 1;
    public const ulong Remount = 32;

    /// <summary>ro, nosuid, nodev and noexec are the same bits for mount(2) and for a mount's attributes.</summary>
    public const ulong SameBits = ReadOnly | 2 | 4 | 8;
    public const ulong Bind = 4096;
    public const ulong NoAccessTime = 1024;
    public const ulong NoDirectoryAccessTime = 2048;
    public const ulong Recursive = 16384;
    public const ulong Private = 1 << 18;
    public const ulong StrictAccessTime = 1 << 24;

    private static readonly Dictionary<string, ulong> s_flags = new(StringComparer.Ordinal)
    {
        ["ro"] = ReadOnly,
        ["nosuid"] = 2,
        ["nodev"] = 4,
        ["noexec"] = 8,
        ["sync"] = 16,
        ["remount"] = Remount,
        ["dirsync"] = 128,
        ["noatime"] = NoAccessTime,
        ["nodiratime"] = NoDirectoryAccessTime,
        ["bind"] = Bind,
        ["rbind"] = Bind | Recursive,
        ["relatime"] = 1 << 21,
        ["strictatime"] = StrictAccessTime,
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

    /// <summary>Is it an option of any mount, and not the file system's own?</summary>
    public static bool IsFlag(string option) => s_flags.ContainsKey(option) || s_clears.ContainsKey(option);

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

    /// <summary>The flags as fsmount(2) takes them, which spells some in other bits than mount(2).</summary>
    public nint Attributes => (nint)((Flags & SameBits)
        | ((Flags & NoAccessTime) != 0 ? 0x10UL : 0) | ((Flags & StrictAccessTime) != 0 ? 0x20UL : 0) | ((Flags & NoDirectoryAccessTime) != 0 ? 0x80UL : 0));

    public string DataText => string.Join(',', Data);
}
