namespace ImageStore.Distribution.Transport;

/// <summary>Keeps all that share it below a rate, up and down together.</summary>
internal sealed class BandwidthCap(long bytesPerSecond, TimeProvider time)
{
    // As much may go at once as a tenth of a second brings; more would be a burst, less would wake too often.
    private static readonly TimeSpan s_burst = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private long _freeAt = time.GetTimestamp();

    /// <summary>Waits as long as <paramref name="bytes"/> that have just gone take at the rate.</summary>
    public async ValueTask SpendAsync(int bytes, CancellationToken ct)
    {
        TimeSpan wait;
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _freeAt = Math.Max(_freeAt, now) + (long)((double)bytes / bytesPerSecond * time.TimestampFrequency);
            wait = time.GetElapsedTime(now, _freeAt) - s_burst;
        }

        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time, ct).ConfigureAwait(false);
        }
    }
}
