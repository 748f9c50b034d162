using ImageStore.Distribution.Registry;

namespace ImageStore.Distribution.Hosts;

/// <summary>Finds what is configured for a registry, in containerd's places and spellings.</summary>
internal static class HostsDirectory
{
    private const string Default = "_default";
    private const string FileName = "hosts.toml";
    private static readonly string[] s_usual = ["/etc/containerd/certs.d", "/etc/docker/certs.d"];

    /// <summary>The hosts to ask for <paramref name="upstream"/>, in order; itself alone where nothing is configured.</summary>
    public static IReadOnlyList<RegistryHost> Find(RegistryHost upstream, RegistryOptions options)
    {
        foreach (var directory in options.HostsDirectories ?? s_usual)
        {
            foreach (var name in Spellings(upstream))
            {
                var folder = Path.Combine(directory, name);
                var file = Path.Combine(folder, FileName);
                if (Path.Exists(file))
                {
                    return HostsFile.Read(file, upstream);
                }

                if (Directory.Exists(folder) && Certificates(folder) is { IsDefault: false } tls)
                {
                    return [upstream with { Tls = tls, ConfiguredAt = folder, IsGuess = false, Origin = Secure(upstream.Origin, options) }];
                }
            }
        }

        return [upstream];
    }

    // containerd looks for host:port, host_port_ and _default; a folder of the exact name wins.
    private static IEnumerable<string> Spellings(RegistryHost upstream)
    {
        var name = upstream.Registry;
        yield return name;
        var colon = name.LastIndexOf(':');
        if (colon > name.LastIndexOf(']'))
        {
            yield return $"{name[..colon]}_{name[(colon + 1)..]}_";
        }

        yield return Default;
    }

    // Docker's pattern: *.crt are authorities, *.cert with a *.key of the same name are ours.
    private static TlsSettings Certificates(string folder) => new()
    {
        Authorities = [.. Directory.EnumerateFiles(folder, "*.crt").Order(StringComparer.Ordinal)],
        Clients = [.. Directory.EnumerateFiles(folder, "*.cert").Order(StringComparer.Ordinal)
            .Select(path => (path, (string?)Path.ChangeExtension(path, ".key")))],
    };

    private static Uri Secure(Uri origin, RegistryOptions options) =>
        options.PlainHttp ? origin : new Uri($"https://{origin.Authority}/");
}
