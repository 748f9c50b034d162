using ImageStore.Engine.Configuration;
using ImageStore.Engine.Serving;
using ImageStore.Engine.Tests.Support;
using ImageStore.Gc.Pressure;
using ImageStore.Gc.Scheduling;

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
}
