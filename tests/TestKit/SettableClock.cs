using Microsoft.Extensions.Time.Testing;

namespace ImageStore.TestKit;

/// <summary>A clock that a test moves, and that can be set as a machine's can: what runs on the other clock does not notice.</summary>
/// <remarks>The library's own sets both at once.</remarks>
public sealed class SettableClock(DateTimeOffset start) : TimeProvider
{
    private readonly FakeTimeProvider _running = new(start);
    private TimeSpan _set;

    /// <inheritdoc/>
    public override long TimestampFrequency => _running.TimestampFrequency;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _running.GetUtcNow() + _set;

    /// <inheritdoc/>
    public override long GetTimestamp() => _running.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _running.CreateTimer(callback, state, dueTime, period);

    /// <summary>Lets time pass.</summary>
    public void Advance(TimeSpan time) => _running.Advance(time);

    /// <summary>Sets the clock forward, or back where <paramref name="by"/> is negative.</summary>
    public void Set(TimeSpan by) => _set += by;
}
