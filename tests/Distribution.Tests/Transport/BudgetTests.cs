using ImageStore.Distribution.Transport;
using Microsoft.Extensions.Time.Testing;

namespace ImageStore.Distribution.Tests.Transport;

/// <summary>What all requests to a host share: repeats and bandwidth.</summary>
public sealed class BudgetTests
{
    private static readonly Uri s_host = new("https://registry.example/");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Retries_AreSpentTogetherAndEarnedByAnswers()
    {
        var budget = new RetryBudget();
        var taken = 0;
        while (budget.TryTake(s_host))
        {
            taken++;
        }

        Assert.Equal(30, taken);
        Assert.True(budget.TryTake(new Uri("https://other.example/")));
        for (var i = 0; i < 5; i++)
        {
            budget.Earn(s_host);
        }

        Assert.True(budget.TryTake(s_host));
        Assert.False(budget.TryTake(s_host));
    }

    [Fact]
    public async Task Bandwidth_SharedByAll_WaitsAsLongAsTheBytesTake()
    {
        var time = new FakeTimeProvider();
        var cap = new BandwidthCap(1000, time);
        await cap.SpendAsync(50, Ct);

        var first = cap.SpendAsync(1000, Ct).AsTask();
        var second = cap.SpendAsync(1000, Ct).AsTask();
        time.Advance(TimeSpan.FromMilliseconds(900));
        Assert.False(first.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(100));
        await first.WaitAsync(TimeSpan.FromSeconds(10), Ct);
        Assert.False(second.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        await second.WaitAsync(TimeSpan.FromSeconds(10), Ct);
    }

    [Fact]
    public void Health_FailedHost_IsAvoidedForAWhile()
    {
        var time = new FakeTimeProvider();
        var health = new HostHealth(time);
        health.Failed(s_host);
        Assert.True(health.IsAvoided(s_host));
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.False(health.IsAvoided(s_host));
        health.Failed(s_host);
        health.Served(s_host);
        Assert.False(health.IsAvoided(s_host));
    }
}
