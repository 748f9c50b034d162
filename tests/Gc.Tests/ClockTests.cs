using ImageStore.Gc.Tests.Support;
using ImageStore.Store;
using ImageStore.Store.Leases;

namespace ImageStore.Gc.Tests;

/// <summary>The wall clock is set while leases run; work under them goes on at its own pace.</summary>
public sealed class ClockTests : IAsyncLifetime
{
    private CollectedRoot _root = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _root = await CollectedRoot.OpenAsync();

    public ValueTask DisposeAsync() => _root.DisposeAsync();

    [Theory]
    [InlineData(24 * 365)]
    [InlineData(-24 * 365)]
    public async Task Lease_WhileTheClockIsSet_EndsWhenItsTimeHasRun(int hours)
    {
        var leases = _root.Root.Leases(CollectedRoot.Namespace);
        var lease = await leases.CreateAsync("work", TimeSpan.FromHours(1), Labels.None, Ct);
        await leases.AddAsync(lease, [new LeaseResource("content", (await _root.BlobAsync("a")).ToString())], Ct);

        _root.Time.Set(TimeSpan.FromHours(hours));
        Assert.Empty((await _root.Collector.CollectAsync(Ct)).Removed);
        Assert.InRange(Expiries.TimeToNext(_root.Root, _root.Time)!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(60));
        _root.Time.Advance(TimeSpan.FromMinutes(61));

        Assert.Equal(2, (await _root.Collector.CollectAsync(Ct)).Removed.Count);
    }

    [Fact]
    public async Task Image_WithATime_GoesByTheWallClock()
    {
        var target = await _root.BlobAsync("a");
        var images = _root.Root.Images(CollectedRoot.Namespace);
        await images.PutAsync(
            "image", CollectedRoot.Describe("a"), new Dictionary<string, string> { [Labels.Expire] = _root.Time.GetUtcNow().AddDays(1).ToString("O") }, Ct);
        Assert.Empty((await _root.Collector.CollectAsync(Ct)).Removed);

        _root.Time.Set(TimeSpan.FromDays(2));

        Assert.Contains((await _root.Collector.CollectAsync(Ct)).Removed, one => one.Key == target.ToString());
        Assert.Empty(images.List());
    }
}
