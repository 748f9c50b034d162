namespace ImageStore.Gc.Scheduling;

/// <summary>When the next collection is due, by what has happened. Times are since some start; it has no clock of its own.</summary>
/// <remarks>
/// The rules are containerd's; what it lacks is time: there an expired lease stays until something else happens.
/// </remarks>
internal sealed class CollectionTiming(SchedulerOptions options)
{
    private static readonly TimeSpan s_leastPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_firstRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestRest = TimeSpan.FromMinutes(2);

    private int _deletions;
    private int _mutations;
    private bool _isAsked;
    private TimeSpan _due = options.StartupDelay;
    private TimeSpan _rest = s_firstRest;
    private TimeSpan _pauses;
    private int _collections;
    private int _failures;

    /// <summary>Something was changed; a deletion means that there may be something to collect.</summary>
    public void Mutated(TimeSpan now, bool deletion)
    {
        _mutations++;
        _deletions += deletion ? 1 : 0;
        if (options.DeletionThreshold > 0 && _deletions >= options.DeletionThreshold)
        {
            Schedule(now + options.ScheduleDelay);
        }
        else if (_deletions > 0 || (options.MutationThreshold > 0 && _mutations >= options.MutationThreshold))
        {
            Schedule(Later(now + options.ScheduleDelay, _rest));
        }
    }

    /// <summary>Somebody asked for a collection.</summary>
    public void Asked(TimeSpan now)
    {
        _isAsked = true;
        Schedule(now + options.ScheduleDelay);
    }

    /// <summary>When the next one is due; <see cref="TimeSpan.MaxValue"/> as long as nothing happens.</summary>
    /// <param name="expiry">When the next lease or image expires.</param>
    public TimeSpan Due(TimeSpan? expiry) => expiry is { } at && Later(at, _rest) < _due ? Later(at, _rest) : _due;

    /// <summary>A collection begins: what changes from now on may come too late for it.</summary>
    public void Began() => (_deletions, _mutations, _isAsked, _due) = (0, 0, false, TimeSpan.MaxValue);

    /// <summary>It has ended.</summary>
    /// <param name="now">When.</param>
    /// <param name="pause">How long it kept others waiting.</param>
    public void Ended(TimeSpan now, TimeSpan pause)
    {
        _failures = 0;
        _pauses += pause;
        _collections++;
        var average = Later(_pauses / _collections, s_leastPause);
        var share = Math.Clamp(options.PauseThreshold, 0, SchedulerOptions.MaxPauseThreshold);
        Rest(now, share > 0 ? (average / share) - average : TimeSpan.Zero);
    }

    /// <summary>It has failed, and is tried again, each time after twice as long.</summary>
    public void Failed(TimeSpan now)
    {
        var rest = s_firstRest * Math.Pow(2, _failures++);
        Rest(now, rest < s_longestRest ? rest : s_longestRest);
        Schedule(_rest);
    }

    private static TimeSpan Later(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private void Schedule(TimeSpan due) => _due = due < _due ? due : _due;

    /// <summary>Lets others work for a while before the next one, unless somebody asks for it.</summary>
    private void Rest(TimeSpan now, TimeSpan length)
    {
        _rest = now + length;
        _due = _isAsked ? _due : Later(_due, _rest);
        if (options.Interval is { } interval)
        {
            Schedule(now + interval);
        }
    }
}
