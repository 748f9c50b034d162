using System.Collections.Concurrent;

namespace ImageStore.Distribution.Transport;

/// <summary>Remembers for a while which hosts failed, so that a dead mirror is not waited for again and again.</summary>
internal sealed class HostHealth(TimeProvider time)
{
    private static readonly TimeSpan s_avoidFor = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _failed = new(StringComparer.Ordinal);

    public void Failed(Uri origin) => _failed[origin.Authority] = time.GetUtcNow() + s_avoidFor;

    public void Served(Uri origin) => _failed.TryRemove(origin.Authority, out _);

    public bool IsAvoided(Uri origin) => _failed.TryGetValue(origin.Authority, out var until) && time.GetUtcNow() < until;
}
