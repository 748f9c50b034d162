using System.Collections.Concurrent;
using ImageStore.Distribution.Registry;

namespace ImageStore.Distribution.Transport;

/// <summary>The caps that apply to bytes from and to a host: its own and the one of all together.</summary>
internal sealed class BandwidthCaps(RegistryOptions options)
{
    private readonly BandwidthCap? _total = options.MaxBytesPerSecond is { } most ? new BandwidthCap(most, options.Time) : null;
    private readonly ConcurrentDictionary<string, BandwidthCap> _hosts = new(StringComparer.Ordinal);

    public HostCaps Of(RegistryHost? host) => new(
        _total,
        host?.MaxBytesPerSecond is { } most
            ? _hosts.GetOrAdd(host.Origin.Authority, _ => new BandwidthCap(most, options.Time))
            : null);
}

/// <summary>What applies to one host.</summary>
internal readonly record struct HostCaps(BandwidthCap? Total, BandwidthCap? Host)
{
    public bool Any => Total is not null || Host is not null;

    public async ValueTask SpendAsync(int bytes, CancellationToken ct)
    {
        if (Total is not null)
        {
            await Total.SpendAsync(bytes, ct).ConfigureAwait(false);
        }

        if (Host is not null)
        {
            await Host.SpendAsync(bytes, ct).ConfigureAwait(false);
        }
    }
}
