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
        Assert.InRange(Expiries.TimeToNext(_root.Root, null, _root.Time)!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(60));
        _root.Time.Advance(TimeSpan.FromMinutes(61));

        Assert.Equal(2, (await _root.Collector.CollectAsync(Ct)).Removed.Count);
    }

    [Fact]
    public async Task TimeToNext_OfAnImageThatALeaseKeepsBeyondItsTime_AsksForNoCollectionAgain()
    {
        var ended = new Dictionary<string, string> { [Labels.Expire] = _root.Time.GetUtcNow().AddMinutes(1).ToString("O") };
        await _root.BlobAsync("a");
        await _root.Root.Images(CollectedRoot.Namespace).PutAsync("image", CollectedRoot.Describe("a"), ended, Ct);
        var leases = _root.Root.Leases(CollectedRoot.Namespace);
        await leases.AddAsync(await leases.CreateAsync("keeps", null, Labels.None, Ct), [new LeaseResource("images", "image")], Ct);
        Assert.Equal(TimeSpan.FromMinutes(1), Expiries.TimeToNext(_root.Root, TimeSpan.Zero, _root.Time));
        _root.Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(TimeSpan.FromMinutes(-59), Expiries.TimeToNext(_root.Root, null, _root.Time));
        Assert.Null(Expiries.TimeToNext(_root.Root, TimeSpan.FromMinutes(1), _root.Time));
    }

    [Theory]
    [InlineData("2026-11-24T10:00:00Z", true)]
    [InlineData("2026-11-24T10:00:00.123456789+02:00", true)]
    [InlineData("1.5", false)]
    [InlineData("10:30", false)]
    [InlineData("2026-11-24", false)]
    public void Time_IsRfc3339AndNothingElse(string text, bool isTime) =>
        Assert.Equal(isTime, Labels.Time(new Dictionary<string, string> { [Labels.Expire] = text }, Labels.Expire) is not null);

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
