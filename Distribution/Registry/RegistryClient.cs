using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Transport;

namespace ImageStore.Distribution.Registry;

/// <summary>The way to all registries: connections, challenges and tokens are shared. One for a process.</summary>
public sealed class RegistryClient : IAsyncDisposable
{
    private readonly RegistryOptions _options;
    private readonly HttpTransport _transport;
    private readonly Authenticator _authenticator;

    /// <summary>Makes a client; nothing is sent yet.</summary>
    public RegistryClient(RegistryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _transport = new HttpTransport(options);
        _authenticator = new Authenticator(_transport, new CredentialStore(options), options.Time);
    }

    /// <summary>The client of the repository that <paramref name="reference"/> names.</summary>
    public RepositoryClient Repository(ImageReference reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return new RepositoryClient(new RepositoryAccess(
            reference, RegistryHost.Of(reference, _options), _transport, _authenticator, _options));
    }

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync()
    {
        _authenticator.Dispose();
        _transport.Dispose();
        return ValueTask.CompletedTask;
    }
}
