using Google.Protobuf;
using ImageStore.Runtime.Protocol.CgroupsV1;
using ImageStore.Shim.Loop;

namespace ImageStore.Shim.Cgroups;

/// <summary>Cgroups of version 1: a folder for each controller.</summary>
internal sealed class CgroupV1 : Cgroup
{
    private const ulong NanosecondsPerTick = 10_000_000; // USER_HZ is 100 for whoever asks

    private readonly Dictionary<string, string> _folders = new(StringComparer.Ordinal);

    /// <summary>Finds the folders.</summary>
    /// <param name="mounts">Where cgroups are mounted.</param>
    /// <param name="lines">Of <c>/proc/PID/cgroup</c>: <c>number:controller,controller:path</c>.</param>
    public CgroupV1(IReadOnlyCollection<CgroupMount> mounts, IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            if (line.Split(':', 3) is [_, var controllers, var path])
            {
                foreach (var controller in controllers.Split(',', StringSplitOptions.RemoveEmptyEntries))
                {
                    if (mounts.Where(mount => mount.Controllers.Contains(controller)).Select(mount => mount.FolderOf(path)).FirstOrDefault(folder => folder is not null) is { } folder)
                    {
                        _folders[controller] = folder;
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public override string MetricsType => "io.containerd.cgroups.v1.Metrics";

    /// <inheritdoc/>
    public override IMessage Measure() => new Metrics
    {
        Pids = Of("pids") is { } pids
            ? new PidsStat { Current = CgroupFile.Number(pids, "pids.current") ?? 0, Limit = CgroupFile.Number(pids, "pids.max", unlimited: 0) ?? 0 } : null,
        Cpu = Cpu(),
        Memory = Of("memory") is { } memory ? MemoryV1.Measure(memory) : null,
        MemoryOomControl = Of("memory") is { } folder ? OomControl(folder) : null,
        Blkio = Of("blkio") is { } blkio ? BlockIoV1.Measure(blkio) : null,
        Rdma = Of("rdma") is { } rdma
            ? new RdmaStat { Current = { Rdma(rdma, "rdma.current") }, Limit = { Rdma(rdma, "rdma.max") } } : null,
        Hugetlb = { Of("hugetlb") is { } huge ? HugePages(huge) : [] },
    };

    /// <inheritdoc/>
    public override OomWatch? WatchMemory(EventLoop loop, Action happened) =>
        Of("memory") is { } folder ? OomWatch.OfV1(loop, folder, happened) : null;

    private static MemoryOomControl OomControl(string folder)
    {
        var control = CgroupFile.Pairs(folder, "memory.oom_control");
        return new MemoryOomControl
        {
            OomKillDisable = control.GetValueOrDefault("oom_kill_disable"),
            UnderOom = control.GetValueOrDefault("under_oom"),
            OomKill = control.GetValueOrDefault("oom_kill"),
        };
    }

    private static IEnumerable<RdmaEntry> Rdma(string folder, string name) => RdmaLine.Read(folder, name)
        .Select(line => new RdmaEntry { Device = line.Device, HcaHandles = line.Handles, HcaObjects = line.Objects });

    private static IEnumerable<HugetlbStat> HugePages(string folder) => HugePageSizes.In(folder, ".usage_in_bytes").Select(size => new HugetlbStat
    {
        Pagesize = size,
        Usage = CgroupFile.Number(folder, $"hugetlb.{size}.usage_in_bytes") ?? 0,
        Max = CgroupFile.Number(folder, $"hugetlb.{size}.max_usage_in_bytes") ?? 0,
        Failcnt = CgroupFile.Number(folder, $"hugetlb.{size}.failcnt") ?? 0,
    });

    private static IEnumerable<ulong> PerCpu(string folder) => CgroupFile.Lines(folder, "cpuacct.usage_percpu")
        .SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(CgroupFile.Parse);

    private CPUStat? Cpu()
    {
        var (usage, throttling) = (Of("cpuacct"), Of("cpu"));
        if (usage is null && throttling is null)
        {
            return null;
        }

        var stat = new CPUStat();
        if (usage is not null)
        {
            var ticks = CgroupFile.Pairs(usage, "cpuacct.stat");
            stat.Usage = new CPUUsage
            {
                Total = CgroupFile.Number(usage, "cpuacct.usage") ?? 0,
                User = ticks.GetValueOrDefault("user") * NanosecondsPerTick,
                Kernel = ticks.GetValueOrDefault("system") * NanosecondsPerTick,
                PerCpu = { PerCpu(usage) },
            };
        }

        if (throttling is not null)
        {
            var told = CgroupFile.Pairs(throttling, "cpu.stat");
            stat.Throttling = new Throttle
            {
                Periods = told.GetValueOrDefault("nr_periods"),
                ThrottledPeriods = told.GetValueOrDefault("nr_throttled"),
                ThrottledTime = told.GetValueOrDefault("throttled_time"),
            };
        }

        return stat;
    }

    private string? Of(string controller) => _folders.TryGetValue(controller, out var folder) && Directory.Exists(folder) ? folder : null;
}
