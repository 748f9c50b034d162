using System.Net;
using System.Net.Http.Headers;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Auth;

/// <summary>Asks a registry whether a credential is good, and keeps and forgets credentials where docker does.</summary>
internal sealed class RegistryLogin(HttpTransport transport, CredentialStore store, RegistryOptions options)
{
    /// <summary>Keeps <paramref name="credential"/> if the registry takes it.</summary>
    /// <exception cref="ImageStoreException">The registry refuses it (<see cref="ErrorKind.Unauthenticated"/>), or it cannot be kept.</exception>
    public async Task<LoginResult> LoginAsync(RegistryHost host, Credential credential, CancellationToken ct)
    {
        var verified = await VerifyAsync(host with { OwnCredential = credential }, ct).ConfigureAwait(false);
        var file = CredentialFile.Open(store.DockerFile);
        var key = CredentialStore.KeysOf(host.CredentialKey)[0];
        var helper = file.HelperOf(key);
        if (helper is not null)
        {
            await CredentialHelper.StoreAsync(helper, key, credential, options, ct).ConfigureAwait(false);
        }

        file.Remove(CredentialStore.KeysOf(host.CredentialKey));
        file.Put(key, helper is null ? credential : null);
        file.Save();
        return new LoginResult(host.Registry, verified, helper is null ? file.Path : $"docker-credential-{helper}");
    }

    /// <summary>Forgets what any of the files and their helpers have for the registry.</summary>
    /// <returns>The files that had something.</returns>
    public async Task<IReadOnlyList<string>> LogoutAsync(RegistryHost host, CancellationToken ct)
    {
        List<string> had = [];
        var keys = CredentialStore.KeysOf(host.CredentialKey);
        foreach (var path in store.Files().Where(File.Exists))
        {
            var file = CredentialFile.Open(path);
            var helped = false;
            foreach (var key in keys)
            {
                if (file.HelperOf(key) is { } helper
                    && await CredentialHelper.GetAsync(helper, key, options, ct).ConfigureAwait(false) is not null)
                {
                    await CredentialHelper.EraseAsync(helper, key, options, ct).ConfigureAwait(false);
                    helped = true;
                }
            }

            if (file.Remove(keys))
            {
                file.Save();
                had.Add(path);
            }
            else if (helped)
            {
                had.Add(path);
            }
        }

        return had;
    }

    // False where the registry asks nobody for credentials, so that it cannot tell good ones from bad ones.
    private async Task<bool> VerifyAsync(RegistryHost host, CancellationToken ct)
    {
        var reply = await PingAsync(host, null, ct).ConfigureAwait(false);
        if (host.IsGuess && RepositoryAccess.IsFromTlsServer(reply))
        {
            reply.Dispose();
            host = host.OverTls();
            reply = await PingAsync(host, null, ct).ConfigureAwait(false);
        }

        using var first = reply;
        if (first.IsSuccess)
        {
            return false;
        }

        if (first.Status != HttpStatusCode.Unauthorized)
        {
            throw ErrorReply.ToException(first, Printable.Of(host.Registry));
        }

        // One of its own: a token that another credential brought must not vouch for this one.
        using var authenticator = new Authenticator(transport, store, options);
        var header = await authenticator.AnswerAsync(host, AccessScope.None, first, null, ct).ConfigureAwait(false)
            ?? throw new ImageStoreException(
                ErrorKind.Unauthenticated,
                $"{Printable.Of(host.Registry)} asks for credentials of another kind than these.",
                "Ask its operator how to log in.");
        using var second = await PingAsync(host, header, ct).ConfigureAwait(false);
        return second.IsSuccess ? true
            : second.Status == HttpStatusCode.Unauthorized
                ? throw new ImageStoreException(
                    ErrorKind.Unauthenticated,
                    $"{Printable.Of(host.Registry)} refuses these credentials.",
                    "Check the name and the password; many registries want a token in its place.")
                : throw ErrorReply.ToException(second, Printable.Of(host.Registry));
    }

    private Task<Reply> PingAsync(RegistryHost host, AuthenticationHeaderValue? header, CancellationToken ct) => transport.SendAsync(
        new RegistryRequest(HttpMethod.Get, new Uri(host.Origin, host.BasePath + "/"))
        {
            Host = host, Authorization = header, BodyLimit = CappedBody.MaxErrorBytes,
        },
        ct);
}
