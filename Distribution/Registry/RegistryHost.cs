using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Hosts;
using ImageStore.Distribution.Transport;

namespace ImageStore.Distribution.Registry;

/// <summary>One host that may be asked for a registry: the registry itself or a mirror of it.</summary>
/// <param name="Registry">The registry as references name it.</param>
/// <param name="Origin">Scheme, host and port.</param>
/// <param name="IsGuess">Plain HTTP was taken since the host is loopback, not because anybody said so.</param>
internal sealed record RegistryHost(string Registry, Uri Origin, bool IsGuess)
{
    private const string Api = "/v2";

    /// <summary>What stands before <c>/NAME/…</c>.</summary>
    public string BasePath { get; init; } = Api;

    /// <summary>Is it the registry itself? A mirror is told whose images are asked for.</summary>
    public bool IsUpstream { get; init; } = true;

    public HostCapabilities Capabilities { get; init; } = HostCapabilities.All;

    public TlsSettings Tls { get; init; } = TlsSettings.Default;

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public TimeSpan? DialTimeout { get; init; }

    public long? MaxBytesPerSecond { get; init; }

    /// <summary>The credential of the configuration itself, which goes before those of files and helpers.</summary>
    public Credential? OwnCredential { get; init; }

    public string? CredentialHelper { get; init; }

    /// <summary>Under which name credentials for it are kept in files and helpers.</summary>
    public required string CredentialKey { get; init; }

    /// <summary>File and line, where it was configured.</summary>
    public string? ConfiguredAt { get; init; }

    /// <summary>Scheme, host and port, where it is sure who answers there: over verified TLS, or on this machine. Else null.</summary>
    public string? SureEndpoint =>
        (Origin.Scheme == Uri.UriSchemeHttps && !Tls.SkipVerify) || RedirectPolicy.IsLoopback(Origin)
            ? Origin.GetLeftPart(UriPartial.Authority)
            : null;

    /// <summary>The same host over TLS.</summary>
    public RegistryHost OverTls() => this with { Origin = new Uri($"https://{Origin.Authority}/"), IsGuess = false };

    /// <summary>The registry itself, without any configuration.</summary>
    public static RegistryHost Of(ImageReference reference, RegistryOptions options)
    {
        var host = reference.Registry == ImageReference.DefaultRegistry ? "registry-1.docker.io" : reference.Registry;
        var origin = new Uri($"https://{host}/");

        // Development registries on this machine have no certificate, and nobody listens between.
        var guess = !options.PlainHttp && RedirectPolicy.IsLoopback(origin);
        return new RegistryHost(reference.Registry, options.PlainHttp || guess ? new Uri($"http://{host}/") : origin, guess)
        {
            CredentialKey = reference.Registry,
        };
    }

    /// <summary>The address of <paramref name="path"/> below a repository.</summary>
    public Uri Address(string repository, string path)
    {
        var address = $"{BasePath}/{repository}/{path}";
        return new Uri(Origin, IsUpstream
            ? address
            : $"{address}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}ns={Uri.EscapeDataString(Registry)}");
    }
}
