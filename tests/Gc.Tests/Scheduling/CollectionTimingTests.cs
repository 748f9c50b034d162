using ImageStore.Gc.Scheduling;

namespace ImageStore.Gc.Tests.Scheduling;

/// <summary>containerd's rules for when a collection is made, and ours.</summary>
public sealed class CollectionTimingTests
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    [Fact]
    public void Due_AtTheStart_IsTheStartupDelay_AndLaterTheInterval()
    {
        var timing = new CollectionTiming(new SchedulerOptions());
        Assert.Equal(Ms(100), timing.Due(null));

        Collect(timing, Ms(100));

        Assert.Equal(Ms(100) + TimeSpan.FromHours(1), timing.Due(null));
    }

    [Fact]
    public void Due_WhereNothingHappensAndThereIsNoInterval_IsNever() =>
        Assert.Equal(TimeSpan.MaxValue, Started(new SchedulerOptions { Interval = null }).Due(null));

    [Fact]
    public void Due_WithAnExpiry_IsThatExpiry_ButNotWithinTheRest()
    {
        var timing = Started(new SchedulerOptions { Interval = null });

        Assert.Equal(TimeSpan.FromHours(5), timing.Due(TimeSpan.FromHours(5)));
        Assert.Equal(Ms(980), timing.Due(Ms(1)));
        Assert.Equal(Ms(980), timing.Due(TimeSpan.FromDays(-1)));
    }

    // 20 ms are 2 % of a second; of longer pauses the average counts, and none counts as less than 5 ms.
    [Theory]
    [InlineData(0.02, 20, 980)]
    [InlineData(0.02, 0, 245)]
    [InlineData(0.1, 20, 180)]
    [InlineData(0.9, 20, 20)]
    [InlineData(0, 20, 0)]
    public void Mutated_ByADeletion_IsDueWhenThePauseThresholdAllows(double threshold, int pause, int due)
    {
        var timing = new CollectionTiming(new SchedulerOptions { PauseThreshold = threshold });
        timing.Began();
        timing.Ended(TimeSpan.Zero, Ms(pause));

        timing.Mutated(TimeSpan.Zero, deletion: true);

        Assert.Equal(Ms(due), timing.Due(null));
    }

    [Fact]
    public void Mutated_WithoutDeletions_IsDueAtTheMutationThreshold()
    {
        var (timing, now) = (Started(new SchedulerOptions { Interval = null }), TimeSpan.FromMinutes(1));
        for (var i = 0; i < 99; i++)
        {
            timing.Mutated(now, deletion: false);
        }

        Assert.Equal(TimeSpan.MaxValue, timing.Due(null));
        timing.Mutated(now, deletion: false);
        Assert.Equal(now, timing.Due(null));
    }

    [Fact]
    public void Mutated_WithoutDeletions_AndNoThreshold_IsNeverDue()
    {
        var timing = Started(new SchedulerOptions { Interval = null, MutationThreshold = 0 });
        for (var i = 0; i < 10_000; i++)
        {
            timing.Mutated(TimeSpan.FromMinutes(1), deletion: false);
        }

        Assert.Equal(TimeSpan.MaxValue, timing.Due(null));
    }

    [Fact]
    public void Mutated_AtTheDeletionThreshold_IsDueWhateverThePause()
    {
        var timing = Started(new SchedulerOptions { DeletionThreshold = 3, PauseThreshold = 0.0001, Interval = null });
        timing.Mutated(Ms(1), deletion: true);
        timing.Mutated(Ms(1), deletion: true);
        Assert.Equal(TimeSpan.FromMilliseconds(20 / 0.0001) - s_pause, timing.Due(null));
        timing.Mutated(Ms(2), deletion: true);
        Assert.Equal(Ms(2), timing.Due(null));
    }

    [Fact]
    public void Mutated_InABurst_IsDueOnceAfterTheDelayOfTheFirst()
    {
        var timing = Started(new SchedulerOptions { ScheduleDelay = TimeSpan.FromSeconds(30), Interval = null });
        for (var second = 60; second < 90; second++)
        {
            timing.Mutated(TimeSpan.FromSeconds(second), deletion: true);
        }

        Assert.Equal(TimeSpan.FromSeconds(90), timing.Due(null));
        Collect(timing, TimeSpan.FromSeconds(90));
        Assert.Equal(TimeSpan.MaxValue, timing.Due(null));
    }

    [Fact]
    public void Asked_IsDueAtOnce_AlsoWhenItCameDuringACollection()
    {
        var timing = Started(new SchedulerOptions { PauseThreshold = 0.0001, Interval = null });
        timing.Asked(Ms(5));
        Assert.Equal(Ms(5), timing.Due(null));

        timing.Began();
        timing.Asked(Ms(6));
        timing.Ended(Ms(7), s_pause);
        Assert.Equal(Ms(6), timing.Due(null));
    }

    [Fact]
    public void Mutated_DuringACollection_WaitsForItsRest()
    {
        var timing = Started(new SchedulerOptions { Interval = null });
        timing.Began();
        timing.Mutated(TimeSpan.FromMinutes(1), deletion: true);
        timing.Ended(TimeSpan.FromMinutes(1), s_pause);

        Assert.Equal(TimeSpan.FromMinutes(1) + Ms(980), timing.Due(null));
    }

    [Fact]
    public void Failed_IsTriedAgain()
    {
        var timing = Started(new SchedulerOptions { Interval = null });
        timing.Asked(Ms(5));
        timing.Began();
        timing.Failed(Ms(6));

        Assert.Equal(Ms(1006), timing.Due(null));
    }

    private static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static CollectionTiming Started(SchedulerOptions options)
    {
        var timing = new CollectionTiming(options);
        Collect(timing, TimeSpan.Zero);
        return timing;
    }

    private static void Collect(CollectionTiming timing, TimeSpan now)
    {
        timing.Began();
        timing.Ended(now, s_pause);
    }
}
