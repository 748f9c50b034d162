namespace ImageStore.Store;

/// <summary>A moment by the wall clock, which people and time servers set, and by the one that only runs, since the machine's boot.</summary>
/// <param name="Wall">The wall clock's time.</param>
/// <param name="Boot">Which run of the machine it is in.</param>
/// <param name="Uptime">Time on the clock that cannot be set; its zero is the same for all processes of a boot.</param>
public readonly record struct Moment(DateTimeOffset Wall, string Boot, TimeSpan Uptime)
{
    /// <summary>Before everything: nothing has expired.</summary>
    public static Moment Start { get; } = new(DateTimeOffset.MinValue, string.Empty, TimeSpan.Zero);

    /// <summary>Now.</summary>
    public static Moment Now(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return new Moment(time.GetUtcNow(), MachineBoot.Id, time.GetElapsedTime(0));
    }

    /// <summary>A time on the wall clock as it is set now, on the clock that cannot be set.</summary>
    public Deadline Until(DateTimeOffset at) => new(Boot, Uptime + (at - Wall));

    /// <summary>Has a time come? In the boot in which it was agreed on, however the wall clock was set since.</summary>
    public bool IsAfter(DateTimeOffset at, Deadline? agreed) => TimeTo(at, agreed) <= TimeSpan.Zero;

    /// <summary>How long it is until a time comes; negative when it is past.</summary>
    public TimeSpan TimeTo(DateTimeOffset at, Deadline? agreed) =>
        agreed is { } deadline && deadline.Boot == Boot ? deadline.Uptime - Uptime : at - Wall;
}

/// <summary>When something ends, if that is in this run of the machine.</summary>
/// <param name="Boot">Which run.</param>
/// <param name="Uptime">As <see cref="Moment.Uptime"/>.</param>
public sealed record Deadline(string Boot, TimeSpan Uptime);
