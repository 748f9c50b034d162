using System.Collections.Concurrent;

namespace ImageStore.Distribution.Transport;

/// <summary>How many repeats all requests to a host may make together: some at once, and one more for so many answers.</summary>
/// <remarks>Without it, a host in trouble gets five times the requests from each of us just then.</remarks>
internal sealed class RetryBudget
{
    private const double Most = 30;
    private const double EarnedByAnswer = 0.2;

    private readonly ConcurrentDictionary<string, Account> _accounts = new(StringComparer.Ordinal);

    /// <summary>Takes one repeat out of the budget; false when it is spent.</summary>
    public bool TryTake(Uri host) => Of(host).TryTake();

    /// <summary>Notes an answer that was no failure.</summary>
    public void Earn(Uri host) => Of(host).Earn();

    private Account Of(Uri host) => _accounts.GetOrAdd(host.Authority, static _ => new Account());

    private sealed class Account
    {
        private readonly Lock _gate = new();
        private double _left = Most;

        public bool TryTake()
        {
            lock (_gate)
            {
                if (_left < 1)
                {
                    return false;
                }

                _left--;
                return true;
            }
        }

        public void Earn()
        {
            lock (_gate)
            {
                _left = Math.Min(Most, _left + EarnedByAnswer);
            }
        }
    }
}
