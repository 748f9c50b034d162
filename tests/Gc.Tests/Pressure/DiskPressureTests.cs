using ImageStore.Gc.Pressure;
using ImageStore.Gc.Tests.Support;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;

namespace ImageStore.Gc.Tests.Pressure;

/// <summary>On a filesystem of 1000 bytes, of which others use some and blobs the rest.</summary>
public sealed class DiskPressureTests : IAsyncLifetime
{
    private const int Total = 1000;
    private const int BlobBytes = 50;

    private CollectedRoot _root = null!;
    private long _others;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _root = await CollectedRoot.OpenAsync();

    public ValueTask DisposeAsync() => _root.DisposeAsync();

    [Fact]
    public async Task Relieve_BelowTheHighMark_TouchesNothing()
    {
        await ImagesAsync(10);
        _others = 400;

        var report = await RelieveAsync(0.9, 0.5);

        Assert.Empty(report.Evicted);
        Assert.True(report.IsEnough);
        Assert.Equal(10, Images().Count);
    }

    [Fact]
    public async Task Relieve_AboveTheHighMark_RemovesThoseUsedLongestAgo_DownToTheLowMark()
    {
        await ImagesAsync(10);
        _others = 450;
        await TouchAsync("image 0");

        var report = await RelieveAsync(0.9, 0.8);

        Assert.Equal(["image 1", "image 2", "image 3"], report.Evicted.Select(image => image.Key));
        Assert.True(report.IsEnough);
        Assert.Equal(3 * BlobBytes, report.FreedBytes);
        Assert.Equal(7, Images().Count);
        Assert.True(report.UsedAfter <= 0.8);
    }

    [Fact]
    public async Task Relieve_WhereGarbageIsEnough_RemovesNoImage()
    {
        await ImagesAsync(5);
        await _root.BlobAsync(Text("garbage"));
        _others = 650;

        var report = await RelieveAsync(0.9, 0.9);

        Assert.Empty(report.Evicted);
        Assert.Equal(BlobBytes, report.FreedBytes);
    }

    [Fact]
    public async Task Relieve_NeverTakesWhatIsPinnedLeasedOrInUse()
    {
        await ImagesAsync(6);
        await _root.ImageAsync("image 0", Text("blob 0"), labels: (Labels.Pinned, "pinned"));
        var lease = await _root.Root.Leases(CollectedRoot.Namespace).CreateAsync("lease", null, Labels.None, Ct);
        await _root.Root.Leases(CollectedRoot.Namespace).AddAsync(lease, new LeaseResource("images", "image 1"), Ct);
        await _root.Root.Leases(CollectedRoot.Namespace)
            .AddAsync(lease, new LeaseResource("content", CollectedRoot.DigestOf(Text("blob 2")).ToString()), Ct);
        await UnpackAsync("blob 3", "base", null);
        await UnpackAsync("blob 4", "top", "base");
        await RunOnAsync("top");
        _others = 950;

        var report = await RelieveAsync(0.9, 0.1);

        Assert.False(report.IsEnough);
        Assert.Equal(["image 3", "image 5"], report.Evicted.Select(image => image.Key).Order());
        Assert.Equal(["image 0", "image 1", "image 2", "image 4"], Images().Select(image => image.Name));
    }

    [Fact]
    public async Task Relieve_ImagesThatShareAll_AreRemovedTogether()
    {
        await ImagesAsync(2);
        await _root.ImageAsync("also image 0", Text("blob 0"));
        _others = 850;

        var report = await RelieveAsync(0.9, 0.9);

        Assert.True(report.IsEnough);
        Assert.False(_root.Has(Text("blob 0")) && _root.Has(Text("blob 1")));
    }

    [Theory]
    [InlineData(0.8, 0.9)]
    [InlineData(0.8, 0.8)]
    [InlineData(1.1, 0.8)]
    [InlineData(0.5, -0.1)]
    [InlineData(double.NaN, 0.5)]
    public void Marks_ThatCannotBe_AreInvalidArgument(double high, double low) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => WaterMarks.Of(high, low)).Kind);

    private static string Text(string name) => name.PadRight(BlobBytes, '.');

    private Task<EvictionReport> RelieveAsync(double high, double low) =>
        new DiskPressure(_root.Root, _root.Collector, Space, _root.Time).RelieveAsync(new WaterMarks(high, low), Ct);

    private DiskSpace Space()
    {
        var used = _others + _root.Root.BlobFiles().Sum(file => new FileInfo(file.Path).Length);
        return new DiskSpace(Total, Math.Max(0, Total - used));
    }

    private async Task ImagesAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await _root.BlobAsync(Text($"blob {i}"));
            await _root.ImageAsync($"image {i}", Text($"blob {i}"));
            _root.Time.Advance(TimeSpan.FromHours(1));
        }
    }

    private Task TouchAsync(string image) => _root.Root.Images(CollectedRoot.Namespace).TouchAsync(image, Ct);

    private async Task UnpackAsync(string blob, string name, string? parent)
    {
        var snapshots = await SnapshotsAsync();
        await snapshots.PrepareAsync("work", parent, Labels.None, Ct);
        await snapshots.CommitAsync(name, "work", Labels.None, Ct);
        await _root.LabelAsync(Text(blob), "containerd.io/gc.ref.snapshot.native", name);
    }

    private async Task RunOnAsync(string parent) => await (await SnapshotsAsync()).PrepareAsync("container", parent, Labels.None, Ct);

    private Task<ISnapshotter> SnapshotsAsync() => SnapshotterFactory.OpenAsync(
        "native", _root.Root.Directory, CollectedRoot.Namespace, _root.Root.Database, _root.Time, Ct);

    private IReadOnlyList<Store.Images.ImageRecord> Images() => _root.Root.Images(CollectedRoot.Namespace).List();
}
