using Google.Protobuf;
using ImageStore.Shim.Loop;

namespace ImageStore.Shim.Cgroups;

/// <summary>The cgroups of a container, of either version.</summary>
internal abstract class Cgroup
{
    private const string Mount = "/sys/fs/cgroup";

    private static bool IsVersion2 => File.Exists(Path.Combine(Mount, "cgroup.controllers"));

    /// <summary>The full name of the message that <see cref="Measure"/> gives, which is its type URL.</summary>
    public abstract string MetricsType { get; }

    /// <summary>Those of a process; null where it has ended, or none can be seen.</summary>
    public static Cgroup? Of(int pid)
    {
        var lines = CgroupFile.Lines($"/proc/{pid}", "cgroup");
        if (lines.Length == 0)
        {
            return null;
        }

        return IsVersion2 ? CgroupV2.Of(Mount, lines) : new CgroupV1(CgroupMount.All(), lines);
    }

    /// <summary>The folders that a path of a cgroup has: with version 1, those of the controllers that have it.</summary>
    public static List<string> FoldersOf(string path)
    {
        var relative = path.TrimStart('/');
        IEnumerable<string> roots = IsVersion2 ? [Mount] : Directory.EnumerateDirectories(Mount);
        return [.. roots.Select(root => Path.Combine(root, relative)).Where(folder => File.Exists(Path.Combine(folder, "cgroup.procs")))];
    }

    /// <summary>What it has used.</summary>
    public abstract IMessage Measure();

    /// <summary>Has it told when the kernel kills for want of memory, until what it gives is disposed of; null where the kernel does not tell.</summary>
    public abstract OomWatch? WatchMemory(EventLoop loop, Action happened);
}
