using Google.Protobuf;
using ImageStore.Shim.Loop;

namespace ImageStore.Shim.Cgroups;

/// <summary>The cgroups of a container, of either version.</summary>
internal abstract class Cgroup
{
    private const string Mount = "/sys/fs/cgroup";

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

        return File.Exists(Path.Combine(Mount, "cgroup.controllers")) ? CgroupV2.Of(Mount, lines) : new CgroupV1(Mount, lines);
    }

    /// <summary>What it has used.</summary>
    public abstract IMessage Measure();

    /// <summary>Has it told when the kernel kills for want of memory, until what it gives is disposed of; null where the kernel does not tell.</summary>
    public abstract IDisposable? WatchMemory(EventLoop loop, Action happened);
}
