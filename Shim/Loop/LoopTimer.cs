using ImageStore.Shim.Logging;

namespace ImageStore.Shim.Loop;

/// <summary>A timer of <see cref="LoopTime"/>; precise to a millisecond, and never early.</summary>
internal sealed class LoopTimer(LoopTime time, TimerCallback callback, object? state) : ITimer
{
    private const long Never = -1;

    private long _due = Never;
    private long _period = Never;

    /// <inheritdoc/>
    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        _period = Milliseconds(period) is var every && every > 0 ? every : Never;
        Schedule(Milliseconds(dueTime));
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _due = Never;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Is it due then still, after all that was changed?</summary>
    internal bool IsDueAt(long due) => _due == due;

    internal void Run()
    {
        _due = Never;
        Schedule(_period);
        try
        {
            callback(state);
        }
        catch (Exception failure)
        {
            // Whose timer it is has nobody above it but the loop, with which containers would lose their shim.
            ShimLog.Error("A timer failed", failure);
        }
    }

    private static long Milliseconds(TimeSpan span) =>
        span == Timeout.InfiniteTimeSpan ? Never : (long)Math.Ceiling(span.TotalMilliseconds);

    private void Schedule(long milliseconds)
    {
        _due = milliseconds == Never ? Never : LoopTime.Now() + milliseconds;
        if (_due != Never)
        {
            time.Enter(this, _due);
        }
    }
}
