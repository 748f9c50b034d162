namespace ImageStore.Daemon.Auditing;

/// <summary>How many denials of one user are told in a minute: whoever has nothing to lose must not drown what others did.</summary>
internal sealed class DenialBudget(TimeProvider time)
{
    /// <summary>Denials of one user in a minute.</summary>
    public const int EachMinute = 60;

    /// <summary>Users who are told apart in a minute; those beyond share one budget.</summary>
    public const int Users = 1024;

    private const uint Rest = uint.MaxValue;
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, int> _told = [];
    private long? _began;

    /// <summary>Takes one.</summary>
    /// <param name="user">Who was denied; null where the kernel does not tell.</param>
    /// <returns>How many are left after it; negative where there was none left for it.</returns>
    public int Take(uint? user)
    {
        lock (_gate)
        {
            if (_began is not { } began || time.GetElapsedTime(began) >= s_minute)
            {
                _told.Clear();
                _began = time.GetTimestamp();
            }

            var whose = user is { } id && (_told.ContainsKey(id) || _told.Count < Users) ? id : Rest;
            var told = _told.GetValueOrDefault(whose);
            if (told == EachMinute)
            {
                return -1;
            }

            _told[whose] = told + 1;
            return EachMinute - told - 1;
        }
    }
}
