using ImageStore.Shim.Cgroups;
using ImageStore.Shim.Loop;

namespace ImageStore.Shim.Tests.Cgroups;

public sealed class OomWatchTests : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("oom");

    private string Events => Path.Combine(_work.FullName, "memory.events");

    [Fact]
    public void Look_BeforeTheLoopHasHeardOfAKill_TellsOfItOnce()
    {
        using var loop = new EventLoop();
        File.WriteAllText(Events, "oom 0\noom_kill 2\n");
        var told = 0;
        using var watch = OomWatch.OfV2(loop, _work.FullName, () => told++);
        File.WriteAllText(Events, "oom 1\noom_kill 3\n");
        watch!.Look();
        Assert.Equal(1, told);
        loop.Run(Task.Delay(TimeSpan.FromMilliseconds(20), loop.Time));
        Assert.Equal(1, told);
    }

    [Fact]
    public void Look_WhereNobodyWasKilled_TellsNothing()
    {
        using var loop = new EventLoop();
        File.WriteAllText(Events, "oom 0\noom_kill 2\n");
        using var watch = OomWatch.OfV2(loop, _work.FullName, () => Assert.Fail("nobody was killed"));
        File.WriteAllText(Events, "oom 1\noom_kill 2\n");
        watch!.Look();
    }

    public void Dispose() => _work.Delete(recursive: true);
}
