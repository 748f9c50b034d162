namespace ImageStore.Shim.Loop;

/// <summary>The clock of a loop, whose timers run on the loop's thread.</summary>
internal sealed class LoopTime(EventLoop loop) : TimeProvider
{
    private readonly PriorityQueue<LoopTimer, long> _due = new();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        loop.Check();
        var timer = new LoopTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    internal static long Now() => Environment.TickCount64;

    internal void Enter(LoopTimer timer, long due) => _due.Enqueue(timer, due);

    /// <summary>Milliseconds until a timer is due, or null where none is.</summary>
    internal long? Next()
    {
        while (_due.TryPeek(out var timer, out var due))
        {
            if (timer.IsDueAt(due))
            {
                return Math.Max(0, due - Now());
            }

            _due.Dequeue();
        }

        return null;
    }

    internal void RunDue()
    {
        while (Next() == 0)
        {
            _due.TryDequeue(out var timer, out _);
            timer!.Run();
        }
    }
}
