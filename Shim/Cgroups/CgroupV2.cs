using Google.Protobuf;
using ImageStore.Runtime.Protocol.CgroupsV2;
using ImageStore.Shim.Loop;

namespace ImageStore.Shim.Cgroups;

/// <summary>The one cgroup of version 2.</summary>
internal sealed class CgroupV2(string folder) : Cgroup
{
    private const string LinePrefix = "0::";

    /// <inheritdoc/>
    public override string MetricsType => "io.containerd.cgroups.v2.Metrics";

    /// <summary>Finds its folder.</summary>
    /// <param name="mount">Where it is mounted.</param>
    /// <param name="lines">Of <c>/proc/PID/cgroup</c>: <c>0::path</c>.</param>
    public static CgroupV2? Of(string mount, IEnumerable<string> lines) =>
        lines.FirstOrDefault(line => line.StartsWith(LinePrefix, StringComparison.Ordinal)) is { } line
            ? new CgroupV2(mount + line[LinePrefix.Length..]) : null;

    /// <inheritdoc/>
    public override IMessage Measure() => new Metrics
    {
        Pids = new PidsStat { Current = CgroupFile.Number(folder, "pids.current") ?? 0, Limit = CgroupFile.Number(folder, "pids.max") ?? 0 },
        Cpu = Cpu(),
        Memory = MemoryV2.Measure(folder),
        MemoryEvents = Events(),
        Io = new IOStat { Usage = { Io() }, Psi = PressureV2.Read(folder, "io.pressure") },
        Hugetlb = { HugePages() },
        Rdma = new RdmaStat { Current = { Rdma("rdma.current") }, Limit = { Rdma("rdma.max") } },
    };

    /// <inheritdoc/>
    public override OomWatch? WatchMemory(EventLoop loop, Action happened) => OomWatch.OfV2(loop, folder, happened);

    private CPUStat Cpu()
    {
        var stat = CgroupFile.Pairs(folder, "cpu.stat");
        return new CPUStat
        {
            UsageUsec = stat.GetValueOrDefault("usage_usec"),
            UserUsec = stat.GetValueOrDefault("user_usec"),
            SystemUsec = stat.GetValueOrDefault("system_usec"),
            NrPeriods = stat.GetValueOrDefault("nr_periods"),
            NrThrottled = stat.GetValueOrDefault("nr_throttled"),
            ThrottledUsec = stat.GetValueOrDefault("throttled_usec"),
            NrBursts = stat.GetValueOrDefault("nr_bursts"),
            BurstUsec = stat.GetValueOrDefault("burst_usec"),
            Psi = PressureV2.Read(folder, "cpu.pressure"),
        };
    }

    private MemoryEvents Events()
    {
        var events = CgroupFile.Pairs(folder, "memory.events");
        return new MemoryEvents
        {
            Low = events.GetValueOrDefault("low"),
            High = events.GetValueOrDefault("high"),
            Max = events.GetValueOrDefault("max"),
            Oom = events.GetValueOrDefault("oom"),
            OomKill = events.GetValueOrDefault("oom_kill"),
            OomGroupKill = events.GetValueOrDefault("oom_group_kill"),
        };
    }

    private IEnumerable<IOEntry> Io()
    {
        foreach (var line in CgroupFile.Lines(folder, "io.stat"))
        {
            var words = line.Split(' ');
            if (words[0].Split(':') is not [var major, var minor])
            {
                continue;
            }

            ulong Of(string name) => words.FirstOrDefault(word => word.StartsWith(name, StringComparison.Ordinal)) is { } word
                ? CgroupFile.Parse(word[name.Length..]) : 0;
            yield return new IOEntry
            {
                Major = CgroupFile.Parse(major),
                Minor = CgroupFile.Parse(minor),
                Rbytes = Of("rbytes="),
                Wbytes = Of("wbytes="),
                Rios = Of("rios="),
                Wios = Of("wios="),
            };
        }
    }

    private IEnumerable<RdmaEntry> Rdma(string name) => RdmaLine.Read(folder, name)
        .Select(line => new RdmaEntry { Device = line.Device, HcaHandles = line.Handles, HcaObjects = line.Objects });

    private IEnumerable<HugeTlbStat> HugePages() => HugePageSizes.In(folder, ".current").Select(size => new HugeTlbStat
    {
        Pagesize = size,
        Current = CgroupFile.Number(folder, $"hugetlb.{size}.current") ?? 0,
        Max = CgroupFile.Number(folder, $"hugetlb.{size}.max") ?? 0,
        Failcnt = CgroupFile.Pairs(folder, $"hugetlb.{size}.events").GetValueOrDefault("max"),
    });
}
