using ImageStore.Gc.Tests.Support;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;

namespace ImageStore.Gc.Tests;

/// <summary><c>containerd.io/gc.cond.*</c>.</summary>
public sealed class ConditionTests : IAsyncLifetime
{
    private CollectedRoot _root = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _root = await CollectedRoot.OpenAsync();

    public ValueTask DisposeAsync() => _root.DisposeAsync();

    [Theory]
    [InlineData("usedat<24h|chain", -23, true)]
    [InlineData("usedat<24h|chain", -25, false)]
    [InlineData("usedat>24h|chain", -25, true)]
    [InlineData("usedat>24h|chain", -23, false)]
    [InlineData("usedat>48h,usedat<1h30m|chain", -1, true)]
    [InlineData("usedat<24h|other", -1, false)]
    [InlineData("usedat=24h|chain", -24, false)]
    [InlineData("colour<24h|chain", -1, false)]
    [InlineData("usedat<soon|chain", -1, false)]
    [InlineData("usedat<24h", -1, false)]
    public async Task Collect_BlobWithACondition_StaysWhileTheSnapshotSatisfiesIt(string condition, int hours, bool stays)
    {
        var snapshots = await SnapshotterFactory.OpenAsync(
            "native", _root.Root.Directory, CollectedRoot.Namespace, _root.Root.Database, _root.Time, Ct);
        await snapshots.PrepareAsync("work", null, Labels.None, Ct);
        await snapshots.CommitAsync("chain", "work", new Dictionary<string, string>
        {
            [Labels.Root] = "x",
            ["containerd.io/gc.cond.value-usedat"] = _root.Time.GetUtcNow().AddHours(hours).ToString("O"),
        }, Ct);
        await _root.BlobAsync("layer", labels: ("containerd.io/gc.cond.snapshot.native", condition));

        await _root.Collector.CollectAsync(Ct);

        Assert.Equal(stays, _root.Has("layer"));
    }

    [Fact]
    public async Task Collect_SnapshotIsUsedMeanwhile_WhatItKeepsWhileItIsUsedStays()
    {
        const string UsedAt = "containerd.io/gc.cond.value-usedat";
        var snapshots = await SnapshotterFactory.OpenAsync(
            "native", _root.Root.Directory, CollectedRoot.Namespace, _root.Root.Database, _root.Time, Ct);
        await snapshots.PrepareAsync("work", null, Labels.None, Ct);
        var labels = new Dictionary<string, string> { [Labels.Root] = "x", [UsedAt] = _root.Time.GetUtcNow().AddHours(-25).ToString("O") };
        await snapshots.CommitAsync("chain", "work", labels, Ct);
        await _root.BlobAsync("leaf");
        await _root.BlobAsync(
            "layer", labels: [("containerd.io/gc.cond.snapshot.native", "usedat<24h|chain"), (Labels.RefContent, CollectedRoot.DigestOf("leaf").ToString())]);
        labels[UsedAt] = _root.Time.GetUtcNow().ToString("O");
        _root.Collector.Between = () => snapshots.UpdateLabelsAsync("chain", labels, Ct);

        await _root.Collector.CollectAsync(Ct);

        Assert.True(_root.Has("layer"));
        Assert.True(_root.Has("leaf"));
    }
}
