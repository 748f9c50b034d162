using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transport;
using ImageStore.Store;
using ImageStore.Store.Configuration;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Hosts;

/// <summary>Reads one <c>hosts.toml</c>: containerd's, with credentials, a bandwidth cap and <c>fallback</c> added.</summary>
/// <remarks><see href="https://github.com/containerd/containerd/blob/main/docs/hosts.md">containerd, registry host configuration</see>. A
/// mistake is an error with file and line, never a host less.</remarks>
internal sealed class HostsFile
{
    private const int MaxBytes = 1024 * 1024;
    private const int MaxPasswordBytes = 64 * 1024;
    private const int MaxHosts = 64;

    private static readonly TimeSpan s_longestTimeout = TimeSpan.FromHours(1);

    private static readonly HashSet<string> s_hostKeys = new(StringComparer.Ordinal)
    {
        "capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout", "auth", "max_bytes_per_second",
    };

    private readonly string _path;
    private readonly string _directory;

    private HostsFile(string path) => (_path, _directory) = (path, Path.GetDirectoryName(Path.GetFullPath(path))!);

    /// <summary>The hosts of <paramref name="path"/> in the order in which they are asked, the upstream last.</summary>
    /// <param name="path">The file.</param>
    /// <param name="upstream">The registry itself, where the file names no <c>server</c>.</param>
    /// <exception cref="ImageStoreException">It cannot be read, or has a mistake (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public static IReadOnlyList<RegistryHost> Read(string path, RegistryHost upstream) =>
        new HostsFile(path).Hosts(TomlTable.Parse(SmallFile.ReadText(path, MaxBytes), path), upstream);

    private List<RegistryHost> Hosts(TomlTable root, RegistryHost upstream)
    {
        root.Allow(key => key is "server" or "host" or "fallback" || s_hostKeys.Contains(key));
        List<RegistryHost> hosts = [];
        foreach (var (url, item) in root.Find("host")?.Table.Items ?? [])
        {
            var table = item.Table;
            table.Allow(s_hostKeys.Contains);
            hosts.Add(Host(Address(url, item), table, table.Line, upstream.Registry, isUpstream: false));
        }

        if (hosts.Count > MaxHosts)
        {
            throw TomlTable.Complaint(_path, root.Find("host")!.Line, $"there are more than {MaxHosts} hosts");
        }

        if (root.Find("fallback") is { Truth: false } forbidden)
        {
            return hosts.Count > 0 ? hosts : throw forbidden.Complaint("the fall-back is forbidden, but there is no other host");
        }

        var server = root.Find("server");
        var address = server is null ? (upstream.Origin, upstream.BasePath) : Address(server.Text, server);
        hosts.Add(Host(address, root, server?.Line ?? root.Line, upstream.Registry, isUpstream: true) with
        {
            // Without a server named, all that is known of the upstream stays: plain HTTP, the guess for loopback.
            IsGuess = server is null && upstream.IsGuess,
            CredentialKey = server is null ? upstream.CredentialKey : ReferenceKey(address.Item1),
        });
        return hosts;
    }

    private RegistryHost Host((Uri Origin, string BasePath) address, TomlTable table, int line, string registry, bool isUpstream)
    {
        var path = table.Find("override_path") is { Truth: true } ? address.BasePath : WithApi(address.BasePath);
        return new RegistryHost(registry, address.Origin, IsGuess: false)
        {
            BasePath = path,
            IsUpstream = isUpstream,
            Capabilities = Capabilities(table.Find("capabilities")),
            Tls = Tls(table),
            Headers = Headers(table.Find("header")),
            DialTimeout = Duration(table.Find("dial_timeout")),
            MaxBytesPerSecond = table.Find("max_bytes_per_second") is { } cap
                ? cap.Number > 0 ? cap.Number : throw cap.Complaint("it has to be more than 0")
                : null,
            OwnCredential = Credential(table.Find("auth"), out var helper),
            CredentialHelper = helper,
            CredentialKey = ReferenceKey(address.Origin),
            ConfiguredAt = $"{_path}, line {line}",
        };
    }

    private static (Uri Origin, string BasePath) Address(string text, TomlItem item)
    {
        var full = text.Contains("://", StringComparison.Ordinal) ? text : "https://" + text;
        if (!Uri.TryCreate(full, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
        {
            throw item.Complaint($"'{Printable.Of(text)}' is not an http or https address");
        }

        if (uri.UserInfo.Length > 0)
        {
            throw item.Complaint("an address must not hold a user name or password; there is [host.\"…\".auth] for them");
        }

        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            throw item.Complaint($"'{Printable.Of(text)}' has a query or fragment, which no host takes");
        }

        return (new Uri(uri.GetLeftPart(UriPartial.Authority) + "/"), uri.AbsolutePath.TrimEnd('/'));
    }

    private static string WithApi(string path) => path.EndsWith("/v2", StringComparison.Ordinal) ? path : path + "/v2";

    private static string ReferenceKey(Uri origin) =>
        origin.Authority == "registry-1.docker.io" ? ImageReference.DefaultRegistry : origin.Authority;

    private static HostCapabilities Capabilities(TomlItem? item)
    {
        if (item is null)
        {
            return HostCapabilities.All;
        }

        var all = HostCapabilities.None;
        foreach (var entry in item.List)
        {
            all |= entry.Text switch
            {
                "pull" => HostCapabilities.Pull,
                "resolve" => HostCapabilities.Resolve,
                "push" => HostCapabilities.Push,
                "referrers" => HostCapabilities.Referrers,
                var other => throw entry.Complaint($"'{Printable.Of(other)}' is no capability; there are pull, resolve, push and referrers"),
            };
        }

        return all;
    }

    private TlsSettings Tls(TomlTable table) => new()
    {
        Authorities = [.. table.Find("ca") is { } ca ? ca.Texts.Select(path => Existing(path, ca)) : []],
        Clients = [.. table.Find("client") is { } client ? Clients(client) : []],
        SkipVerify = table.Find("skip_verify") is { Truth: true },
    };

    // One path, a list of paths, or a list of pairs of certificate and key.
    private IEnumerable<(string, string?)> Clients(TomlItem item)
    {
        if (item.IsText)
        {
            return [(Existing(item.Text, item), null)];
        }

        return item.List.Select(entry => entry.IsText
            ? (Existing(entry.Text, entry), (string?)null)
            : entry.Texts is [var certificate, var key]
                ? (Existing(certificate, entry), key.Length == 0 ? null : Existing(key, entry))
                : throw entry.Complaint("a pair of certificate and key is expected here"));
    }

    private string Existing(string path, TomlItem item)
    {
        var full = Path.Combine(_directory, path);
        return File.Exists(full) ? full : throw item.Complaint($"the file {Printable.Of(full)} is not there");
    }

    private static List<(string, string)> Headers(TomlItem? item)
    {
        List<(string, string)> headers = [];
        foreach (var (name, value) in item?.Table.Items ?? [])
        {
            foreach (var text in value.Texts)
            {
                if (!SentHeader.IsOne(name, text))
                {
                    throw value.Complaint($"'{Printable.Of(name)}' is no header that can be sent");
                }

                headers.Add((name, text));
            }
        }

        return headers;
    }

    private static TimeSpan? Duration(TomlItem? item) => item is null ? null
        : GoDuration.Parse(item.Text, s_longestTimeout) ?? throw item.Complaint($"'{Printable.Of(item.Text)}' is no time between 1ms and 1h, such as 30s");

    private Credential? Credential(TomlItem? item, out string? helper)
    {
        helper = null;
        if (item is null)
        {
            return null;
        }

        var table = item.Table;
        table.Allow(key => key is "username" or "password" or "password_file" or "identity_token" or "registry_token" or "credential_helper");
        helper = table.Find("credential_helper")?.Text;
        var password = table.Find("password_file") is { } file ? Secret(file) : table.Find("password")?.Text;
        return (table.Find("username")?.Text, password, table.Find("identity_token")?.Text, table.Find("registry_token")?.Text) switch
        {
            (null, null, null, null) => helper is not null ? null : throw item.Complaint("it names no credential"),
            ({ } user, { } secret, null, null) => new Credential { Username = user, Password = secret },
            (null, null, { } identity, null) => new Credential { IdentityToken = identity },
            (null, null, null, { } token) => new Credential { RegistryToken = token },
            _ => throw item.Complaint("a user name with a password is expected, or one token"),
        };
    }

    private string Secret(TomlItem item)
    {
        return SmallFile.ReadText(Existing(item.Text, item), MaxPasswordBytes).TrimEnd('\n', '\r');
    }
}
