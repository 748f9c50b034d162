using System.Collections.Concurrent;
using System.Net;
using ImageStore.Distribution.Hosts;
using ImageStore.Distribution.Registry;

namespace ImageStore.Distribution.Transport;

/// <summary>The connections, pooled apart for each set of authorities and certificates.</summary>
internal sealed class Connections(RegistryOptions options) : IDisposable
{
    private const int MaxResponseHeaderKilobytes = 64;

    private readonly ConcurrentDictionary<string, Lazy<HttpMessageInvoker>> _pools = new(StringComparer.Ordinal);

    /// <summary>The pool for a host; away from <paramref name="home"/> its authorities stay trusted, but our certificates stay here.</summary>
    public HttpMessageInvoker To(RegistryHost? host, bool home)
    {
        var tls = host?.Tls ?? TlsSettings.Default;
        if (!home)
        {
            tls = new TlsSettings { Authorities = tls.Authorities };
        }

        var dial = host?.DialTimeout ?? options.ConnectTimeout;
        return _pools.GetOrAdd($"{dial.Ticks}\n{tls.Key}", _ => new Lazy<HttpMessageInvoker>(() => Make(tls, dial))).Value;
    }

    public void Dispose()
    {
        foreach (var pool in _pools.Values.Where(pool => pool.IsValueCreated))
        {
            pool.Value.Dispose();
        }
    }

    private HttpMessageInvoker Make(TlsSettings tls, TimeSpan dial)
    {
        var handler = new SocketsHttpHandler
        {
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = dial,
            MaxConnectionsPerServer = options.MaxConnectionsPerHost,
            MaxResponseHeadersLength = MaxResponseHeaderKilobytes,
            EnableMultipleHttp2Connections = true,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (!tls.IsDefault)
        {
            handler.SslOptions = tls.ToOptions();
        }

        return new HttpMessageInvoker(handler);
    }
}
