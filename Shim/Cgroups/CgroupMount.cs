using ImageStore.Runtime.Mounts;

namespace ImageStore.Shim.Cgroups;

/// <summary>Where a hierarchy of version 1 is mounted.</summary>
/// <param name="Controllers">Those that it has.</param>
/// <param name="Root">Which of its cgroups is mounted: not its own root within a container.</param>
/// <param name="Folder">Where.</param>
internal sealed record CgroupMount(IReadOnlyList<string> Controllers, string Root, string Folder)
{
    private const int RootField = 3;
    private const int FolderField = 4;

    /// <summary>All of them.</summary>
    public static List<CgroupMount> All() => Parse(File.ReadLines("/proc/self/mountinfo"));

    /// <summary>The folder of a cgroup; null where it is outside of what is mounted.</summary>
    /// <param name="path">Of <c>/proc/PID/cgroup</c>.</param>
    public string? FolderOf(string path) => Root == "/" ? Folder + path
        : path == Root || path.StartsWith(Root + "/", StringComparison.Ordinal) ? Folder + path[Root.Length..] : null;

    /// <summary>Those that lines of <c>/proc/PID/mountinfo</c> tell of: <c>… root folder … - cgroup source options</c>.</summary>
    internal static List<CgroupMount> Parse(IEnumerable<string> lines)
    {
        var found = new List<CgroupMount>();
        foreach (var line in lines)
        {
            var fields = line.Split(' ');
            var separator = Array.IndexOf(fields, "-");
            if (separator > FolderField && fields.Length > separator + 3 && fields[separator + 1] == "cgroup")
            {
                found.Add(new(fields[separator + 3].Split(','), MountInfo.Unescaped(fields[RootField]), MountInfo.Unescaped(fields[FolderField])));
            }
        }

        return found;
    }
}
