using ImageStore.Daemon.Protocol.Transfers;
using ImageStore.Daemon.Streaming;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Transfers;

/// <summary>Asks a client over a stream as whom its registry is to be spoken to.</summary>
internal sealed class AskedCredentials(ClientStream stream, string reference) : IDisposable
{
    // A client may have to ask somebody in turn.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>The credential for a registry, or null for none.</summary>
    /// <exception cref="ImageStoreException">The client does not answer, or gives what cannot be used.</exception>
    public async Task<RegistryCredential?> FindAsync(string registry, string repository, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await stream.SendAsync(new AuthRequest { Host = registry, Reference = reference }, cancellationToken).ConfigureAwait(false);
            var answer = await stream.ReceiveAsync(cancellationToken).WaitAsync(s_patience, cancellationToken).ConfigureAwait(false);
            return answer is null ? null : Of(AuthResponse.Parser.ParseFrom(answer.Value), registry);
        }
        catch (TimeoutException failure)
        {
            throw new ImageStoreException(
                ErrorKind.Unauthenticated, $"The client was asked for credentials of {Printable.Of(registry)}, and did not answer.", null, failure);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose()
    {
        stream.End();
        _one.Dispose();
    }

    private static RegistryCredential? Of(AuthResponse answer, string registry) => answer.AuthType switch
    {
        AuthType.None => null,
        _ when answer.Secret.Length == 0 => null,
        AuthType.Credentials => new RegistryCredential(answer.Username.Length > 0 ? answer.Username : null, answer.Secret),
        AuthType.Refresh => new RegistryCredential(null, answer.Secret),
        _ => throw new ImageStoreException(
            ErrorKind.Unsupported,
            $"The client wants to set the Authorization header for {Printable.Of(registry)} itself.",
            "Give a name and a password, or a token that is exchanged for others."),
    };
}
