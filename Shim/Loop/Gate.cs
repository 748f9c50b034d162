namespace ImageStore.Shim.Loop;

/// <summary>Lets one in at a time, in the order in which they came; of one loop, so that nobody leaves its thread.</summary>
internal sealed class Gate
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
