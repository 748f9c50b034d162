using ImageStore.Runtime.Protocol.CgroupsV2;
using ImageStore.Shim.Cgroups;

namespace ImageStore.Shim.Tests.Cgroups;

public sealed class CgroupV2Tests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("cgroup");

    [Fact]
    public void Measure_ReadsTheFolder()
    {
        Write("cpu.stat", "usage_usec 10\nuser_usec 6\nsystem_usec 4\nnr_periods 1\n");
        Write("memory.stat", "anon 100\nfile 200\nworkingset_refault_anon 3\n");
        Write("memory.current", "300\n");
        Write("memory.max", "max\n");
        Write("memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\n");
        Write("rdma.current", "mlx4_0 hca_handle=4 hca_object=1\n");
        Write("pids.current", "5\n");
        Write("pids.max", "max\n");
        Write("io.stat", "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n");
        Write("cpu.pressure", "some avg10=1.50 avg60=0.25 avg300=0.00 total=99\n");
        var metrics = (Metrics)CgroupV2.Of(_work.FullName, ["0::/c"])!.Measure();
        Assert.Equal((10ul, 6ul, 4ul), (metrics.Cpu.UsageUsec, metrics.Cpu.UserUsec, metrics.Cpu.SystemUsec));
        Assert.Equal((1.5, 99ul), (metrics.Cpu.Psi.Some.Avg10, metrics.Cpu.Psi.Some.Total));
        Assert.Equal((100ul, 200ul, 300ul, ulong.MaxValue), (metrics.Memory.Anon, metrics.Memory.File, metrics.Memory.Usage, metrics.Memory.UsageLimit));
        Assert.Equal((2ul, 1ul), (metrics.MemoryEvents.Oom, metrics.MemoryEvents.OomKill));
        Assert.Equal((5ul, ulong.MaxValue), (metrics.Pids.Current, metrics.Pids.Limit));
        Assert.Equal((3ul, 4u), (metrics.Memory.WorkingsetRefaultAnon, metrics.Rdma.Current[0].HcaHandles));
        Assert.Equal([(254ul, 1ul, 4ul)], metrics.Io.Usage.Select(entry => (entry.Major, entry.Rbytes, entry.Wios)));
    }

    [Fact]
    public void Measure_OfACgroupThatHasGone_HasNothing() =>
        Assert.Empty(((Metrics)CgroupV2.Of(_work.FullName, ["0::/gone"])!.Measure()).Hugetlb);

    public void Dispose() => _work.Delete(recursive: true);

    private void Write(string file, string text) =>
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_work.FullName, "c")).FullName, file), text);
}
