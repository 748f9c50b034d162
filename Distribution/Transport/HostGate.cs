namespace ImageStore.Distribution.Transport;

/// <summary>How many requests to one host are under way: fewer at once when it asks for that, more again as it answers.</summary>
/// <remarks>Additive increase, multiplicative decrease; a place is held until the headers of the answer are here.</remarks>
internal sealed class HostGate
{
    private const double First = 6;
    private const double Most = 24;

    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private double _limit = First;
    private int _running;

    /// <summary>How many may run at once now.</summary>
    public int Limit
    {
        get
        {
            lock (_gate)
            {
                return (int)_limit;
            }
        }
    }

    public async Task EnterAsync(CancellationToken ct)
    {
        TaskCompletionSource turn;
        lock (_gate)
        {
            if (_running < (int)_limit)
            {
                _running++;
                return;
            }

            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }

        try
        {
            await turn.Task.WaitAsync(ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!turn.TrySetCanceled(ct))
        {
            // The place was given just as we stopped waiting for it.
            Leave(HostAnswer.None);
            throw;
        }
    }

    public void Leave(HostAnswer answer)
    {
        lock (_gate)
        {
            _running--;
            _limit = answer switch
            {
                HostAnswer.Served => Math.Min(Most, _limit + (1 / _limit)),
                HostAnswer.TooMany => Math.Max(1, _limit / 2),
                _ => _limit,
            };
            while (_running < (int)_limit && _waiting.TryDequeue(out var next))
            {
                if (next.TrySetResult())
                {
                    _running++;
                }
            }
        }
    }
}

/// <summary>What became of a request, as far as it tells how many more a host bears.</summary>
internal enum HostAnswer
{
    None,
    Served,
    TooMany,
}
