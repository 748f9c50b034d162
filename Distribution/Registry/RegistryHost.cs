using ImageStore.Distribution.Transport;

namespace ImageStore.Distribution.Registry;

/// <summary>Where a registry's API is, and under which name its credentials are kept.</summary>
internal sealed record RegistryHost(string Name, Uri Origin)
{
    public static RegistryHost Of(ImageReference reference, RegistryOptions options)
    {
        var host = reference.Registry == ImageReference.DefaultRegistry ? "registry-1.docker.io" : reference.Registry;
        var origin = new Uri($"https://{host}/");
        // Development registries on this machine have no certificate, and nobody listens between.
        if (options.PlainHttp || RedirectPolicy.IsLoopback(origin))
        {
            origin = new Uri($"http://{host}/");
        }

        return new RegistryHost(reference.Registry, origin);
    }
}
