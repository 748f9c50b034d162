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
        Write("rdma", "rdma.current", "mlx4_0 hca_handle=2 hca_object=2000\n");
        Write("rdma", "rdma.max", "mlx4_0 hca_handle=3 hca_object=max\n");
        var metrics = (Metrics)new CgroupV1(Mounts("/"), ["4:memory:/c", "3:cpuacct,cpu:/c", "2:pids:/c", "1:blkio:/c", "5:rdma:/c", "0::/"]).Measure();
        Assert.Equal((10ul, 20ul, 30ul, 40ul), (metrics.Memory.Cache, metrics.Memory.Rss, metrics.Memory.TotalRss, metrics.Memory.Usage.Usage));
        Assert.Null(metrics.Memory.Swap);
        Assert.Equal(2ul, metrics.MemoryOomControl.OomKill);
        Assert.Equal((5000ul, 30_000_000ul, 40_000_000ul), (metrics.Cpu.Usage.Total, metrics.Cpu.Usage.User, metrics.Cpu.Usage.Kernel));
        Assert.Equal([1ul, 2ul], metrics.Cpu.Usage.PerCpu);
        Assert.Equal((7ul, 0ul), (metrics.Pids.Current, metrics.Pids.Limit));
        Assert.Equal(("mlx4_0", 2u, 2000u), (metrics.Rdma.Current[0].Device, metrics.Rdma.Current[0].HcaHandles, metrics.Rdma.Current[0].HcaObjects));
        Assert.Equal(uint.MaxValue, metrics.Rdma.Limit[0].HcaObjects);
        Assert.Equal([("Read", 11ul), ("Write", 12ul)], metrics.Blkio.IoServiceBytesRecursive.Select(entry => (entry.Op, entry.Value)));
    }

    [Fact]
    public void Measure_OfACgroupThatHasGone_HasNothing()
    {
        var metrics = (Metrics)new CgroupV1(Mounts("/"), ["4:memory:/gone"]).Measure();
        Assert.Null(metrics.Memory);
    }

    [Fact]
    public void Measure_WhereAPartIsMounted_FindsTheFolderWithinIt()
    {
        Write("pids", "pids.current", "7\n");
        Assert.Equal(7ul, ((Metrics)new CgroupV1(Mounts("/docker/one"), ["2:pids:/docker/one/c"]).Measure()).Pids.Current);
        Assert.Null(((Metrics)new CgroupV1(Mounts("/docker/one"), ["2:pids:/docker/other/c"]).Measure()).Pids);
    }

    public void Dispose() => _work.Delete(recursive: true);

    private List<CgroupMount> Mounts(string root) => CgroupMount.Parse(((string[])["memory", "cpuacct", "cpu", "pids", "blkio", "rdma"]).Select(
        controller => $"31 25 0:27 {root} {_work.FullName}/{controller} rw,nosuid shared:9 - cgroup cgroup rw,{controller}"));

    private void Write(string controller, string file, string text)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_work.FullName, controller, "c"));
        File.WriteAllText(Path.Combine(folder.FullName, file), text);
    }
}
