using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Hosting;

namespace ImageStore.Daemon.Tests.Hosting;

public sealed class ConnectionSharesTests
{
    private readonly ConnectionShares _shares = new();

    [Fact]
    public void TryTake_MoreThanAUserMay_IsRefusedUntilOneIsGivenBack()
    {
        Assert.Equal(DaemonLimits.ConnectionsOfAUser, Take(User(1001)));
        Assert.False(_shares.TryTake(User(1001)));
        Assert.True(_shares.TryTake(User(1002)));
        _shares.Return(User(1001));
        Assert.True(_shares.TryTake(User(1001)));
        Assert.False(_shares.TryTake(User(1001)));
    }

    [Fact]
    public void TryTake_ByManyUsers_LeavesSomeToRoot()
    {
        var taken = Enumerable.Range(1000, 100).Sum(user => Take(User((uint)user)));
        Assert.Equal(DaemonLimits.Connections - DaemonLimits.ConnectionsLeftToRoot, taken);
        Assert.False(_shares.TryTake(new Caller(null, MayEverything: false, [])));
        Assert.True(_shares.TryTake(new Caller(new Peer(0, 0, 1, []), MayEverything: true, [])));
        _shares.Return(new Caller(new Peer(0, 0, 1, []), MayEverything: true, []));
        Assert.False(_shares.TryTake(User(5000)));
    }

    private static Caller User(uint id) => new(new Peer(id, id, 1, []), MayEverything: false, []);

    private int Take(Caller caller)
    {
        var taken = 0;
        while (_shares.TryTake(caller))
        {
            taken++;
        }

        return taken;
    }
}
