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
    private readonly RegistryLogin _login;

    /// <summary>Makes a client; nothing is sent yet.</summary>
    /// <exception cref="ImageStoreException">A header that is to be sent cannot be (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public RegistryClient(RegistryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Headers.FirstOrDefault(static header => !SentHeader.IsOne(header.Name, header.Value)) is { Name: { } name })
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"'{Printable.Of(name)}' is no header that can be sent.", "Leave it out, or write it in printable ASCII.");
        }

        _options = options;
        _transport = new HttpTransport(options);
        var credentials = new CredentialStore(options);
        _authenticator = new Authenticator(_transport, credentials, options);
        _login = new RegistryLogin(_transport, credentials, options);
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

    /// <summary>Asks <paramref name="registry"/> whether the credentials are good, and keeps them where docker does.</summary>
    /// <param name="registry">Such as <c>registry.example.com:5000</c>; <c>docker.io</c> is Docker Hub.</param>
    /// <param name="username">The name; <c>&lt;token&gt;</c> where the secret is an identity token.</param>
    /// <param name="secret">The password or token.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="ImageStoreException">They are refused (<see cref="ErrorKind.Unauthenticated"/>), or cannot be kept.</exception>
    public Task<LoginResult> LoginAsync(string registry, string username, string secret, CancellationToken ct) =>
        _login.LoginAsync(HostOf(registry), Credential.Of(username, secret), ct);

    /// <summary>Forgets the credentials for <paramref name="registry"/>, wherever docker and podman keep them.</summary>
    /// <returns>The files that had some; none where nobody was logged in.</returns>
    /// <exception cref="ImageStoreException">A file is malformed or cannot be written, or a helper fails.</exception>
    public Task<IReadOnlyList<string>> LogoutAsync(string registry, CancellationToken ct) => _login.LogoutAsync(HostOf(registry), ct);

    // Whoever logs in means the registry itself, with what is configured for it, and not one of its mirrors.
    private RegistryHost HostOf(string registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        var scheme = registry.IndexOf("://", StringComparison.Ordinal);
        var bare = (scheme < 0 ? registry : registry[(scheme + 3)..]).TrimEnd('/');
        var name = bare is "index.docker.io" or "index.docker.io/v1" or "registry-1.docker.io" ? ImageReference.DefaultRegistry : bare;
        var reference = name.Contains('/', StringComparison.Ordinal) ? null : ImageReference.Parse($"{name}/any");
        if (reference?.Registry != name)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(registry)}' is no registry.",
                "Write HOST or HOST:PORT, such as registry.example.com; one word alone needs a port.");
        }

        return HostsOf(reference).LastOrDefault(host => host.IsUpstream) ?? RegistryHost.Of(reference, _options);
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
