using ImageStore.Daemon.Authorization;

namespace ImageStore.Daemon.Hosting;

/// <summary>How many connections callers have: one user alone cannot take all, and all users together leave some to root.</summary>
internal sealed class ConnectionShares
{
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, int> _open = [];
    private int _all;

    /// <summary>Takes one for the caller, which gives it back; false where it has as many as it may.</summary>
    public bool TryTake(Caller caller)
    {
        if (caller.MayEverything)
        {
            return true;
        }

        lock (_gate)
        {
            var user = UserOf(caller);
            var open = _open.GetValueOrDefault(user);
            if (open == DaemonLimits.ConnectionsOfAUser || _all == DaemonLimits.Connections - DaemonLimits.ConnectionsLeftToRoot)
            {
                return false;
            }

            _open[user] = open + 1;
            _all++;
            return true;
        }
    }

    /// <summary>Gives one back that was taken.</summary>
    public void Return(Caller caller)
    {
        if (caller.MayEverything)
        {
            return;
        }

        lock (_gate)
        {
            var user = UserOf(caller);
            _all--;
            if (--_open[user] == 0)
            {
                _open.Remove(user);
            }
        }
    }

    private static uint UserOf(Caller caller) => caller.Peer?.User ?? uint.MaxValue;
}
