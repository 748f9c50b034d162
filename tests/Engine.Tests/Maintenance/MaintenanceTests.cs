using ImageStore.Engine.Configuration;
using ImageStore.Engine.Fsck;
using ImageStore.Engine.Maintenance;
using ImageStore.Engine.Tests.Support;
using ImageStore.Gc.Pressure;
using ImageStore.Gc.Scheduling;
using ImageStore.Store;

namespace ImageStore.Engine.Tests.Maintenance;

public sealed class MaintenanceTests : PullTest
{
    private static readonly WaterMarks s_alwaysFull = new(0.000_001, 0);

    [Fact]
    public async Task Run_CollectsAndBacksUpAndReadsBlobs_OncePerInterval()
    {
        await FilledAsync(["a", "b"]);
        var clock = new SettableClock(DateTimeOffset.UtcNow.AddDays(2));
        await using (var engine = await OpenAsync())
        {
            await engine.Images.RemoveAsync(Reference("b"), Ct);
        }

        var first = await Run(new Settings(), clock).RunAsync(Ct);
        Assert.NotEmpty(first.Collection!.Removed);
        Assert.NotNull(first.Backup);
        Assert.Equal((3, true, 0), (first.Scrub!.VerifiedBlobs, first.Scrub.IsComplete, first.Scrub.Damage));
        Assert.True((await Run(new Settings(), clock).RunAsync(Ct)).IsIdle);
        clock.Advance(TimeSpan.FromDays(31));
        Assert.Equal(3, (await Run(new Settings(), clock).RunAsync(Ct)).Scrub!.VerifiedBlobs);
        clock.Advance(TimeSpan.FromDays(31));
        Assert.Null((await Run(new Settings { Scrub = new ScrubSettings { Interval = null } }, clock).RunAsync(Ct)).Scrub);
    }

    [Fact]
    public async Task Run_TellsOfDamage_AndRemovesNone()
    {
        await FilledAsync(["a"]);
        var blob = Directory.EnumerateFiles(Path.Combine(Root, "content/blobs/sha256")).First();
        File.SetUnixFileMode(blob, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var bytes = await File.ReadAllBytesAsync(blob, Ct);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(blob, bytes, Ct);

        var report = await Run(new Settings(), TimeProvider.System).RunAsync(Ct);

        Assert.Contains(report.Scrub!.Findings, finding => finding.Kind == FindingKind.BlobDamaged);
        Assert.True(File.Exists(blob));
    }

    [Fact]
    public async Task Run_OnAFullDisk_RemovesWhatIsNotPinned()
    {
        await FilledAsync(["a", "b", "c"]);
        await using (var engine = await OpenAsync())
        {
            await engine.Naming.PinAsync(Reference("b"), pinned: true, Ct);
        }

        var report = await Run(new Settings { Marks = s_alwaysFull }, TimeProvider.System).RunAsync(Ct);

        Assert.Null(report.Collection);
        Assert.Equal([Reference("a"), Reference("c")], report.Eviction!.Evicted.Select(image => image.Key).Order());
        Assert.False(report.Eviction.IsEnough);
        await using var after = await OpenAsync();
        Assert.Equal([Reference("b")], after.Images.List().Select(image => image.Name));
        await AssertWholeAsync(after);
    }

    [Fact]
    public async Task Watch_OnAnIdleMachine_CollectsWhenALeaseEnds_AndWhatOthersRemoved()
    {
        await FilledAsync(["a"]);
        await using (var engine = await OpenAsync())
        {
            await engine.Leases.CreateAsync("short", TimeSpan.FromSeconds(1), Labels.None, Ct);
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var told = new TaskCompletionSource<MaintenanceReport>(TaskCreationOptions.RunContinuationsAsynchronously);
        var settings = new Settings { Collection = new SchedulerOptions { StartupDelay = TimeSpan.Zero, Interval = null } };
        var watch = new MaintenanceWatch(
            Options() with { Settings = settings },
            scrub: false,
            report =>
            {
                if (report.Collection?.Removed.Count > 0)
                {
                    told.TrySetResult(report);
                }
            },
            failure => told.TrySetException(failure));
        var running = watch.RunAsync(stop.Token);

        var report = await told.Task.WaitAsync(TimeSpan.FromMinutes(1), Ct);

        Assert.Equal("short", Assert.Single(report.Collection!.Removed).Key);

        // Nobody has to wait for it: the root is free between the rounds.
        await using (var engine = await OpenAsync())
        {
            Assert.Single(engine.Images.List());
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private MaintenanceRun Run(Settings settings, TimeProvider time) =>
        new(Options() with { Settings = settings, Time = time }, scrub: true, progress: null);

    private async Task FilledAsync(string[] tags)
    {
        await using var engine = await OpenAsync();
        foreach (var tag in tags)
        {
            Registry.AddImage(tag, ImageBuilder.Tar(tag, 5_000));
            await PullAsync(engine, Reference(tag));
        }
    }
}
