namespace ImageStore.Store.Content;

/// <summary>How far an ingest is, for readers that follow it while it is written.</summary>
internal sealed class IngestProgress
{
    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _changed = new(false);
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
        while (true)
        {
            lock (_gate)
            {
                if (_available > position || (_complete && _failure is null))
                {
                    return Math.Max(_available, position);
                }

                if (_failure is not null)
                {
                    throw new IOException("The blob that was being read will not arrive.", _failure);
                }

                _changed.Reset();
            }

            _changed.Wait(cancellationToken);
        }
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            _changed.Set();
        }
    }
}
