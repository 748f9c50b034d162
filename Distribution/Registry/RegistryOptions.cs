namespace ImageStore.Distribution.Registry;

/// <summary>How registries are spoken to. The defaults suit the public internet.</summary>
public sealed record RegistryOptions
{
    /// <summary>Speak plain HTTP to every registry; loopback hosts get it anyway.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>Connections to one host at a time; how many requests use them adapts to what the host bears.</summary>
    public int MaxConnectionsPerHost { get; init; } = 32;

    /// <summary>Where hosts.toml files are looked for, in this order; null means containerd's and Docker's folders in /etc.</summary>
    public IReadOnlyList<string>? HostsDirectories { get; init; }

    /// <summary>The most bytes a second, down and up, all hosts together; null for no cap.</summary>
    public long? MaxBytesPerSecond { get; init; }

    /// <summary>From how many bytes on a blob may be fetched in several ranges at once.</summary>
    public long ParallelRangesFrom { get; init; } = 32 * 1024 * 1024;

    /// <summary>The folder of <c>config.json</c>; null means $DOCKER_CONFIG or ~/.docker, then podman's auth.json.</summary>
    public string? DockerConfigDirectory { get; init; }

    /// <summary>The one file, as docker's <c>config.json</c>, that credentials are taken from; null for the usual ones.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>Who is asked for credentials, instead of docker's and podman's files; null for those.</summary>
    public RegistryCredentials? Credentials { get; init; }

    /// <summary>Do credentials that hosts.toml names count?</summary>
    public bool UsesConfiguredCredentials { get; init; } = true;

    /// <summary>Headers that registries get with each request, beside those that hosts.toml names.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>The User-Agent header.</summary>
    public string UserAgent { get; init; } = "imagestore/0.1";

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Repeats of one request after its first failure.</summary>
    public int MaxRetries { get; init; } = 4;

    /// <summary>The pause before the first repeat; it doubles, with jitter.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause, also where Retry-After asks for more.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a connection may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long response headers may take.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long one read of a body may take.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Below this rate over <see cref="RateWindow"/> a download is taken up on a new connection.</summary>
    public long MinimumBytesPerSecond { get; init; } = 1024;

    /// <summary>The time spent waiting over which the rate is judged.</summary>
    public TimeSpan RateWindow { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a credential helper may take.</summary>
    public TimeSpan CredentialHelperTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
