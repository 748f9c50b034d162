namespace ImageStore.Engine.Fsck;

/// <summary>Keeps all readers together below a rate: each waits for its share of the time that its bytes may take.</summary>
internal sealed class ReadPace(long? bytesPerSecond, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _free;

    public async ValueTask SpendAsync(int bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond is not { } rate)
        {
            return;
        }

        TimeSpan wait;
        lock (_gate)
        {
            var now = time.GetElapsedTime(_start);
            _free = (_free > now ? _free : now) + TimeSpan.FromSeconds((double)bytes / rate);
            wait = _free - now;
        }

        await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
    }
}
