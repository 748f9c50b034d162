using ImageStore.Engine.Configuration;
using ImageStore.Engine.Maintenance;
using ImageStore.Engine.Serving;
using ImageStore.Engine.Tests.Support;
using ImageStore.Gc.Pressure;
using ImageStore.Gc.Scheduling;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Tests.Serving;

public sealed class ServedStoreTests : PullTest
{
    private static readonly WaterMarks s_alwaysFull = new(0.000_001, 0);

    // Nothing is due and nothing happens: it has to look by itself.
    private static readonly SchedulerOptions s_idle = new() { StartupDelay = TimeSpan.FromDays(1), Interval = null };

    [Fact]
    public async Task Maintain_OnADiskThatIsFull_MakesRoomThoughNobodyAsks()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 5_000));
        await PullAsync();
        var options = Options() with { Settings = new Settings { Marks = s_alwaysFull, Collection = s_idle } };
        await using var store = await ServedStore.OpenAsync(options, In("sock"), failure => Assert.Fail(failure.ToString()), Ct);
        Assert.Single(store.Tenant("default").Images.List());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var running = store.MaintainAsync(stop.Token);

        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (store.Tenant("default").Images.List().Count > 0)
        {
            await Task.Delay(20, limit.Token);
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Commands_BesideADaemon_AreRefusedAndTold_AndMaintenanceLeavesItAlone()
    {
        var served = Options() with { OnWait = holder => ServedRoot.RefuseCommand(Root, holder) };
        await using var store = await ServedStore.OpenAsync(Options(), In("the sock"), failure => Assert.Fail(failure.ToString()), Ct);

        var refused = await Assert.ThrowsAsync<ImageStoreException>(() => StoreEngine.OpenAsync(served, Ct));
        var report = await new MaintenanceRun(served, scrub: true, progress: null).RunAsync(Ct);

        Assert.Equal(ErrorKind.FailedPrecondition, refused.Kind);
        Assert.Contains($"'ctr -a {In("the sock")}'", refused.Remedy, StringComparison.Ordinal);
        Assert.Null(report.Collection);
        Assert.NotNull(report.Scrub);
    }
}
