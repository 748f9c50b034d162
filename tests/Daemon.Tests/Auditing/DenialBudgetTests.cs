using ImageStore.Daemon.Auditing;
using Microsoft.Extensions.Time.Testing;

namespace ImageStore.Daemon.Tests.Auditing;

public sealed class DenialBudgetTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Take_MoreThanAMinuteHas_LeavesOthersTheirs()
    {
        var budget = new DenialBudget(_time);
        Assert.Equal(Enumerable.Range(0, DenialBudget.EachMinute).Reverse(), Enumerable.Range(0, DenialBudget.EachMinute).Select(_ => budget.Take(1001)));
        Assert.Equal(-1, budget.Take(1001));
        Assert.Equal(DenialBudget.EachMinute - 1, budget.Take(1002));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(DenialBudget.EachMinute - 1, budget.Take(1001));
    }

    [Fact]
    public void Take_OfMoreUsersThanAreToldApart_SharesOneBudget()
    {
        var budget = new DenialBudget(_time);
        for (var user = 0u; user < DenialBudget.Users; user++)
        {
            Assert.Equal(DenialBudget.EachMinute - 1, budget.Take(user));
        }

        Assert.Equal(DenialBudget.EachMinute - 1, budget.Take(5000));
        Assert.Equal(DenialBudget.EachMinute - 2, budget.Take(5001));
        Assert.Equal(DenialBudget.EachMinute - 3, budget.Take(null));
        Assert.Equal(DenialBudget.EachMinute - 2, budget.Take(0));
    }
}
