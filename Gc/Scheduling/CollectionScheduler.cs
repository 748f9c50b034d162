using System.Diagnostics.CodeAnalysis;

namespace ImageStore.Gc.Scheduling;

/// <summary>Makes collections by itself: after deletions and changes, at a lease's end, after a while, and when somebody asks.</summary>
/// <remarks>Where nothing happens it wakes up for nothing but the next expiry and the interval's end.</remarks>
public sealed class CollectionScheduler
{
    // An expiry is a time on a clock, which may be set meanwhile.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(1);

    private readonly CollectionTiming _timing;
    private readonly Func<CancellationToken, Task<TimeSpan>> _collect;
    private readonly Func<CancellationToken, Task<TimeSpan?>> _timeToExpiry;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Lock _gate = new();
    private TaskCompletionSource _wake = NewWake();
    private List<TaskCompletionSource> _waiting = [];

    /// <summary>Makes one; <see cref="RunAsync"/> has it work.</summary>
    /// <param name="options">The knobs.</param>
    /// <param name="collect">Collects, and gives how long others were kept waiting.</param>
    /// <param name="timeToExpiry">How long it is until the next lease or image expires; null when none does.</param>
    /// <param name="time">The clock.</param>
    public CollectionScheduler(
        SchedulerOptions options,
        Func<CancellationToken, Task<TimeSpan>> collect,
        Func<CancellationToken, Task<TimeSpan?>> timeToExpiry,
        TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_timing, _collect, _timeToExpiry, _time, _start) = (new CollectionTiming(options), collect, timeToExpiry, time, time.GetTimestamp());
    }

    /// <summary>Is told of collections that failed; they are tried again.</summary>
    public Action<Exception>? OnFailure { get; init; }

    /// <summary>For tests: runs when it begins to wait.</summary>
    internal Action? OnWait { get; set; }

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Something was changed.</summary>
    /// <param name="deletion">Something was deleted, so that there may be something to collect.</param>
    public void Mutated(bool deletion)
    {
        lock (_gate)
        {
            _timing.Mutated(Now, deletion);
            _wake.TrySetResult();
        }
    }

    /// <summary>Has a collection made soon, and waits for its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; <see cref="OnFailure"/> knows why.</exception>
    public Task CollectAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiting.Add(done);
            _timing.Asked(Now);
            _wake.TrySetResult();
        }

        return done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Works until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var left = await _timeToExpiry(cancellationToken).ConfigureAwait(false);
            var expiry = Now + left;
            Task wake;
            TimeSpan wait;
            lock (_gate)
            {
                _wake = _wake.Task.IsCompleted ? NewWake() : _wake;
                (wake, wait) = (_wake.Task, _timing.Due(expiry) - Now);
            }

            if (wait <= TimeSpan.Zero)
            {
                await CollectOnceAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var delay = Task.Delay(wait < s_longestWait ? wait : s_longestWait, _time, stop.Token);
            OnWait?.Invoke();
            await Task.WhenAny(wake, delay).ConfigureAwait(false);
            await stop.CancelAsync().ConfigureAwait(false);
        }
    }

    private static TaskCompletionSource NewWake() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [SuppressMessage("Design", "CA1031", Justification = "Whatever failed is told, and tried again; the scheduler goes on.")]
    private async Task CollectOnceAsync(CancellationToken cancellationToken)
    {
        List<TaskCompletionSource> waiting;
        lock (_gate)
        {
            _timing.Began();
            (waiting, _waiting) = (_waiting, []);
        }

        try
        {
            var pause = await _collect(cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                _timing.Ended(Now, pause);
            }

            waiting.ForEach(one => one.TrySetResult());
        }
        catch (Exception failure)
        {
            lock (_gate)
            {
                _timing.Failed(Now);
            }

            waiting.ForEach(one => one.TrySetException(new InvalidOperationException("The collection failed.", failure)));
            cancellationToken.ThrowIfCancellationRequested();
            OnFailure?.Invoke(failure);
        }
    }
}
