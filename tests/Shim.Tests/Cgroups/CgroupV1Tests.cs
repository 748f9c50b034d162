using ImageStore.Runtime.Protocol.CgroupsV1;
using ImageStore.Shim.Cgroups;

namespace ImageStore.Shim.Tests.Cgroups;

public sealed class CgroupV1Tests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("cgroup");

    [Fact]
    public void Measure_ReadsEachControllersFolder()
    {
        Write("memory", "memory.stat", "cache 10\nrss 20\ntotal_rss 30\n");
        Write("memory", "memory.usage_in_bytes", "40\n");
        Write("memory", "memory.limit_in_bytes", "9223372036854771712\n");
        Write("memory", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
        Write("cpuacct", "cpuacct.usage", "5000\n");
        Write("cpuacct", "cpuacct.stat", "user 3\nsystem 4\n");
        Write("cpuacct", "cpuacct.usage_percpu", "1 2 \n");
        Write("pids", "pids.current", "7\n");
        Write("pids", "pids.max", "max\n");
        Write("blkio", "blkio.throttle.io_service_bytes_recursive", "254:0 Read 11\n254:0 Write 12\nTotal 23\n");
        var metrics = (Metrics)new CgroupV1(_work.FullName, ["4:memory:/c", "3:cpuacct,cpu:/c", "2:pids:/c", "1:blkio:/c", "0::/"]).Measure();
        Assert.Equal((10ul, 20ul, 30ul, 40ul), (metrics.Memory.Cache, metrics.Memory.Rss, metrics.Memory.TotalRss, metrics.Memory.Usage.Usage));
        Assert.Null(metrics.Memory.Swap);
        Assert.Equal(2ul, metrics.MemoryOomControl.OomKill);
        Assert.Equal((5000ul, 30_000_000ul, 40_000_000ul), (metrics.Cpu.Usage.Total, metrics.Cpu.Usage.User, metrics.Cpu.Usage.Kernel));
        Assert.Equal([1ul, 2ul], metrics.Cpu.Usage.PerCpu);
        Assert.Equal((7ul, 0ul), (metrics.Pids.Current, metrics.Pids.Limit));
        Assert.Equal([("Read", 11ul), ("Write", 12ul)], metrics.Blkio.IoServiceBytesRecursive.Select(entry => (entry.Op, entry.Value)));
    }

    [Fact]
    public void Measure_OfACgroupThatHasGone_HasNothing()
    {
        var metrics = (Metrics)new CgroupV1(_work.FullName, ["4:memory:/gone"]).Measure();
        Assert.Null(metrics.Memory);
    }

    public void Dispose() => _work.Delete(recursive: true);

    private void Write(string controller, string file, string text)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_work.FullName, controller, "c"));
        File.WriteAllText(Path.Combine(folder.FullName, file), text);
    }
}
