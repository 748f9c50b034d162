namespace ImageStore.Store.Content;

/// <summary>How far an ingest is, for readers that follow it while it is written.</summary>
internal sealed class IngestProgress
{
    private readonly object _gate = new();
    private long _available;
    private bool _complete;
    private Exception? _failure;

    public void Advance(long available) => Change(() => _available = available);

    public void Complete() => Change(() => _complete = true);

    public void Fail(Exception failure) => Change(() => _failure ??= failure);

    /// <summary>Waits until more than <paramref name="position"/> bytes are there, and returns how many are; at the end, it returns
    /// <paramref name="position"/> itself.</summary>
    /// <exception cref="IOException">The writer gave up, with its reason inside.</exception>
    public long WaitBeyond(long position, CancellationToken cancellationToken)
    {
        using var wake = cancellationToken.Register(() => Change(static () => { }));
        lock (_gate)
        {
            while (_available <= position)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_failure is not null)
                {
                    throw new IOException("The blob that was being read will not arrive.", _failure);
                }

                if (_complete)
                {
                    return position;
                }

                Monitor.Wait(_gate);
            }

            return _available;
        }
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            Monitor.PulseAll(_gate);
        }
    }
}
