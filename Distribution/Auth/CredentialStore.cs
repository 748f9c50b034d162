using System.Text;
using System.Text.Json;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Auth;

/// <summary>Finds a registry's credential where docker and podman keep them.</summary>
/// <remarks>Files are read at each use, so that a login counts at once.</remarks>
internal sealed class CredentialStore(RegistryOptions options)
{
    internal const int MaxFileBytes = 1024 * 1024;
    private const string HubKey = "https://index.docker.io/v1/";

    /// <summary>The credential for a repository of a registry, or null for anonymous.</summary>
    public async Task<Credential?> FindAsync(string registry, string repository, CancellationToken ct)
    {
        if (options.Credentials is { } ask)
        {
            return await ask(registry, repository, ct).ConfigureAwait(false) is { } given
                ? Credential.Of(given.Username ?? Credential.TokenUser, given.Secret)
                : null;
        }

        foreach (var path in Files())
        {
            if (File.Exists(path) && await FromFileAsync(path, registry, repository, ct).ConfigureAwait(false) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>Where docker keeps credentials, and a login puts them.</summary>
    public string DockerFile
    {
        get
        {
            var directory = options.DockerConfigDirectory ?? Environment.GetEnvironmentVariable("DOCKER_CONFIG");
            return Path.Combine(string.IsNullOrEmpty(directory) ? Path.Combine(Home, ".docker") : directory, "config.json");
        }
    }

    private static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    /// <summary>All files that are looked into, the first with an answer counts; they need not be there.</summary>
    public IEnumerable<string> Files()
    {
        if (options.CredentialsFile is { } named)
        {
            yield return named;
            yield break;
        }

        yield return DockerFile;
        if (options.DockerConfigDirectory is not null)
        {
            yield break;
        }

        if (Environment.GetEnvironmentVariable("REGISTRY_AUTH_FILE") is { Length: > 0 } file)
        {
            yield return file;
        }

        if (Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime)
        {
            yield return Path.Combine(runtime, "containers", "auth.json");
        }

        yield return Path.Combine(Home, ".config", "containers", "auth.json");
    }

    private async Task<Credential?> FromFileAsync(string path, string registry, string repository, CancellationToken ct)
    {
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                throw Malformed(path, null);
            }

            using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(path, ct).ConfigureAwait(false));
            return await FromJsonAsync(json.RootElement, registry, repository, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw Malformed(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageStoreException(
                ErrorKind.PermissionDenied, $"{Printable.Of(path)} cannot be read.", "Check the file's owner and mode.", e);
        }
    }

    private async Task<Credential?> FromJsonAsync(
        JsonElement root, string registry, string repository, CancellationToken ct)
    {
        var hosts = KeysOf(registry);
        foreach (var host in hosts)
        {
            if (root.TryGetProperty("credHelpers", out var helpers) && helpers.TryGetProperty(host, out var helper))
            {
                return await CredentialHelper.GetAsync(helper.GetString()!, host, options, ct).ConfigureAwait(false);
            }
        }

        if (root.TryGetProperty("credsStore", out var store) && store.GetString() is { Length: > 0 } name
            && await CredentialHelper.GetAsync(name, hosts[0], options, ct).ConfigureAwait(false) is { } stored)
        {
            return stored;
        }

        if (!root.TryGetProperty("auths", out var auths))
        {
            return null;
        }

        foreach (var host in hosts)
        {
            // podman keeps credentials for a path within a registry; the longest that fits wins.
            for (var key = $"{host}/{repository}"; key.Length >= host.Length; key = Parent(key, host))
            {
                foreach (var entry in auths.EnumerateObject())
                {
                    if (Same(entry.Name, key) && FromEntry(entry.Value) is { } credential)
                    {
                        return credential;
                    }
                }
            }
        }

        return null;
    }

    /// <summary>The names under which a registry's credential may be kept; a new one gets the first.</summary>
    internal static IReadOnlyList<string> KeysOf(string registry) => registry == ImageReference.DefaultRegistry
        ? [HubKey, "index.docker.io", "docker.io", "registry-1.docker.io"]
        : [registry];

    private static string Parent(string key, string host) =>
        key.Length == host.Length ? string.Empty : key[..Math.Max(host.Length, key.LastIndexOf('/'))];

    // docker login writes URLs in old versions, hosts in new ones.
    internal static bool Same(string entry, string key)
    {
        if (entry == key)
        {
            return true;
        }

        var scheme = entry.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
        {
            return false;
        }

        var bare = entry[(scheme + 3)..];
        var slash = bare.IndexOf('/', StringComparison.Ordinal);
        return (slash < 0 ? bare : bare[..slash]) == key;
    }

    private static Credential? FromEntry(JsonElement entry)
    {
        if (Text(entry, "identitytoken") is { } identity)
        {
            return new Credential { IdentityToken = identity };
        }

        if (Text(entry, "registrytoken") is { } token)
        {
            return new Credential { RegistryToken = token };
        }

        if (Text(entry, "auth") is { } auth)
        {
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(auth)).TrimEnd('\0');
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            return colon > 0
                ? Credential.Of(pair[..colon], pair[(colon + 1)..])
                : throw new FormatException("An auth entry is not name:password.");
        }

        return Text(entry, "username") is { } user && Text(entry, "password") is { } password
            ? Credential.Of(user, password)
            : null;
    }

    private static string? Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text ? text : null;

    // The cause is left out: a JSON error may quote the file, which holds secrets.
    internal static ImageStoreException Malformed(string path, Exception? cause) => new(
        ErrorKind.FailedPrecondition,
        $"{Printable.Of(path)} is not a credential file ({cause?.GetType().Name ?? "too long"}).",
        "Correct it, or move it away and log in again.");
}
