namespace ImageStore.Shim.Loop;

/// <summary>Lets one in at a time, in the order in which they came; of one loop, so that nobody leaves its thread.</summary>
internal sealed class Gate(EventLoop loop)
{
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private bool _isTaken;

    /// <summary>Waits for its turn; dispose of what it gives to leave.</summary>
    public async Task<Pass> EnterAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (_isTaken)
        {
            var turn = new TaskCompletionSource();
            _waiting.Enqueue(turn);
            using (cancellation.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetCanceled(), turn))
            {
                await turn.Task.ConfigureAwait(false);
            }
        }

        _isTaken = true;
        return new Pass(this);
    }

    private void Leave()
    {
        // It stays taken for whoever is next, so that nobody who comes meanwhile goes first.
        if (_waiting.Count > 0)
        {
            _ = PassOnAsync();
        }
        else
        {
            _isTaken = false;
        }
    }

    // In a turn of its own: many who wait would else go on one within the other, until the stack is full.
    private async Task PassOnAsync()
    {
        await loop.TurnAsync().ConfigureAwait(false);
        while (_waiting.TryDequeue(out var next))
        {
            if (next.TrySetResult())
            {
                return;
            }
        }

        _isTaken = false;
    }

    /// <summary>The right to be in.</summary>
    internal readonly struct Pass(Gate gate) : IDisposable
    {
        public void Dispose() => gate.Leave();
    }
}
