using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Auth;

/// <summary>What docker's and podman's files and helpers have for a registry, for somebody else who speaks to it.</summary>
/// <param name="options">Where the files are.</param>
public sealed class StoredCredentials(RegistryOptions options)
{
    private readonly CredentialStore _store = new(options);

    /// <summary>The credential for a repository of a registry; null for none.</summary>
    /// <exception cref="ImageStoreException">A file is damaged, a helper fails, or it is of a kind that is not handed on
    /// (<see cref="ErrorKind.Unsupported"/>).</exception>
    public async Task<RegistryCredential?> FindAsync(string registry, string repository, CancellationToken cancellationToken) =>
        await _store.FindAsync(registry, repository, cancellationToken).ConfigureAwait(false) switch
        {
            null => null,
            { RegistryToken: not null } => throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"The credential for {Printable.Of(registry)} is a token for its registry alone, which is not handed on.",
                "Log in with a name and a password."),
            { IdentityToken: { } token } => new RegistryCredential(null, token),
            { Username: { } name, Password: { } password } => new RegistryCredential(name, password),
            _ => null,
        };
}
