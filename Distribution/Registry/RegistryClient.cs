using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Hosts;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;

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
        _authenticator = new Authenticator(_transport, new CredentialStore(options), options);
    }

    /// <summary>The client of the repository that <paramref name="reference"/> names.</summary>
    public RepositoryClient Repository(ImageReference reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return new RepositoryClient(new RepositoryAccess(
            reference, HostsOf(reference), _transport, _authenticator, _options));
    }

    /// <summary>Which hosts would be asked for <paramref name="reference"/>, in which order, and as whom. Nothing is sent.</summary>
    /// <exception cref="ImageStoreException">A file has a mistake, or a credential helper fails.</exception>
    public async Task<IReadOnlyList<HostExplanation>> ExplainAsync(ImageReference reference, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(reference);
        List<HostExplanation> found = [];
        foreach (var host in HostsOf(reference))
        {
            found.Add(HostExplanation.Of(host, await _authenticator.DescribeAsync(host, reference.Repository, ct).ConfigureAwait(false)));
        }

        return found;
    }

    private IReadOnlyList<RegistryHost> HostsOf(ImageReference reference) =>
        HostsDirectory.Find(RegistryHost.Of(reference, _options), _options);

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync()
    {
        _authenticator.Dispose();
        _transport.Dispose();
        return ValueTask.CompletedTask;
    }
}
