namespace ImageStore.Gc.Scheduling;

/// <summary>When collections are made by themselves: containerd's knobs with its defaults, and a time trigger.</summary>
public sealed record SchedulerOptions
{
    /// <summary>The most that <see cref="PauseThreshold"/> can be.</summary>
    public const double MaxPauseThreshold = 0.5;

    /// <summary>The share of time that collections may keep others waiting: 0.02 is 20 ms of every second. 0 has no limit.</summary>
    public double PauseThreshold { get; init; } = 0.02;

    /// <summary>So many deletions have a collection made at once; 0 leaves it to the next one that the pause threshold allows.</summary>
    public int DeletionThreshold { get; init; }

    /// <summary>So many changes of any kind have a collection made with the next one that the pause threshold allows; 0 never do.</summary>
    public int MutationThreshold { get; init; } = 100;

    /// <summary>How long a collection that is due waits for more to come.</summary>
    public TimeSpan ScheduleDelay { get; init; }

    /// <summary>How long after the start the first one is made.</summary>
    public TimeSpan StartupDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>At the latest so long after the last one, whatever happened; null never.</summary>
    public TimeSpan? Interval { get; init; } = TimeSpan.FromHours(1);
}
