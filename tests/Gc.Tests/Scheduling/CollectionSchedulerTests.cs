using ImageStore.Gc.Scheduling;
using Microsoft.Extensions.Time.Testing;

namespace ImageStore.Gc.Tests.Scheduling;

/// <summary>On a clock that only the test moves, and only while the scheduler waits.</summary>
public sealed class CollectionSchedulerTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _waits = new(0);
    private readonly List<DateTimeOffset> _collections = [];
    private readonly List<Exception> _failures = [];
    private readonly CollectionScheduler _scheduler;
    private DateTimeOffset? _expiry;
    private Exception? _failure;
    private Task _running = Task.CompletedTask;

    public CollectionSchedulerTests() => _scheduler = new CollectionScheduler(
        new SchedulerOptions { Interval = null }, CollectAsync, _ => Task.FromResult(_expiry - _time.GetUtcNow()), _time)
    {
        OnFailure = _failures.Add, OnWait = () => _waits.Release(),
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running);
        _stop.Dispose();
        _waits.Dispose();
    }

    [Fact]
    public async Task Run_OnAnIdleMachine_CollectsWhenALeaseExpires()
    {
        await StartAsync();
        _expiry = _time.GetUtcNow().AddSeconds(90);
        _scheduler.Mutated(deletion: false);
        await _waits.WaitAsync(Ct);

        await PassAsync(TimeSpan.FromSeconds(60));
        Assert.Single(_collections);
        await PassAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(2, _collections.Count);
    }

    [Fact]
    public async Task Run_WhenTheClockIsSetForward_SeesTheExpirySoon()
    {
        await StartAsync();
        _expiry = _time.GetUtcNow().AddYears(1);
        _scheduler.Mutated(deletion: false);
        await _waits.WaitAsync(Ct);

        _time.AdjustTime(_time.GetUtcNow().AddYears(2));
        await PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(2, _collections.Count);
    }

    [Fact]
    public async Task Collect_Asked_IsMadeAtOnce_AndEndsWithIt()
    {
        await StartAsync();

        await _scheduler.CollectAsync(Ct);

        Assert.Equal(2, _collections.Count);
    }

    [Fact]
    public async Task Collect_ThatFails_TellsWhoWaits_AndIsTriedAgain()
    {
        await StartAsync();
        _failure = new IOException("disk");

        var told = await Assert.ThrowsAsync<InvalidOperationException>(() => _scheduler.CollectAsync(Ct));
        await _waits.WaitAsync(Ct);

        Assert.Same(_failure, told.InnerException);
        Assert.Equal([_failure], _failures);
        _failure = null;
        await PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(2, _collections.Count);
    }

    private async Task StartAsync()
    {
        _running = _scheduler.RunAsync(_stop.Token);
        await _waits.WaitAsync(Ct);
        await PassAsync(TimeSpan.FromMilliseconds(100));
        Assert.Single(_collections);
    }

    private async Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        await _waits.WaitAsync(Ct);
    }

    private Task<TimeSpan> CollectAsync(CancellationToken cancellationToken)
    {
        if (_failure is { } failure)
        {
            return Task.FromException<TimeSpan>(failure);
        }

        _collections.Add(_time.GetUtcNow());
        _expiry = _expiry <= _time.GetUtcNow() ? null : _expiry;
        return Task.FromResult(TimeSpan.FromMilliseconds(20));
    }
}
