using ImageStore.Distribution.Transport;

namespace ImageStore.Distribution.Tests.Transport;

/// <summary>How many requests one host gets at a time.</summary>
public sealed class HostGateTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Leave_TooMany_HalvesAndNeverBelowOne()
    {
        var gate = new HostGate();
        List<int> limits = [];
        for (var i = 0; i < 5; i++)
        {
            await gate.EnterAsync(Ct);
            gate.Leave(HostAnswer.TooMany);
            limits.Add(gate.Limit);
        }

        Assert.Equal([3, 1, 1, 1, 1], limits);
    }

    [Fact]
    public async Task Leave_Served_GrowsToABound()
    {
        var gate = new HostGate();
        for (var i = 0; i < 1000; i++)
        {
            await gate.EnterAsync(Ct);
            gate.Leave(HostAnswer.Served);
        }

        Assert.Equal(24, gate.Limit);
    }

    [Fact]
    public async Task Enter_Full_WaitsAndGivesUpOnCancel()
    {
        var gate = new HostGate();
        for (var i = 0; i < gate.Limit; i++)
        {
            await gate.EnterAsync(Ct);
        }

        using var stop = new CancellationTokenSource();
        var stopped = gate.EnterAsync(stop.Token);
        var waiting = gate.EnterAsync(Ct);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopped);
        Assert.False(waiting.IsCompleted);

        gate.Leave(HostAnswer.None);

        await waiting.WaitAsync(TimeSpan.FromSeconds(10), Ct);
    }
}
