using ImageStore.Distribution.Transport;

namespace ImageStore.Distribution.Registry;

/// <summary>Where a registry's API is, and under which name its credentials are kept.</summary>
/// <param name="Name">The registry as references name it.</param>
/// <param name="Origin">Scheme, host and port.</param>
/// <param name="IsGuess">Plain HTTP was taken since the host is loopback, not because anybody said so.</param>
internal sealed record RegistryHost(string Name, Uri Origin, bool IsGuess)
{
    /// <summary>The same host over TLS.</summary>
    public RegistryHost OverTls() => new(Name, new Uri($"https://{Origin.Authority}/"), IsGuess: false);

    public static RegistryHost Of(ImageReference reference, RegistryOptions options)
    {
        var host = reference.Registry == ImageReference.DefaultRegistry ? "registry-1.docker.io" : reference.Registry;
        var origin = new Uri($"https://{host}/");

        // Development registries on this machine have no certificate, and nobody listens between.
        var guess = !options.PlainHttp && RedirectPolicy.IsLoopback(origin);
        return new RegistryHost(reference.Registry, options.PlainHttp || guess ? new Uri($"http://{host}/") : origin, guess);
    }
}
