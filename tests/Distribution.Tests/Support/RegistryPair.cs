using ImageStore.Distribution.Registry;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Support;

/// <summary>A fake registry, and a client that is not patient with it.</summary>
internal sealed class RegistryPair : IAsyncDisposable
{
    private readonly DirectoryInfo _config = Directory.CreateTempSubdirectory("imagestore-client-");

    public RegistryPair(Func<RegistryOptions, RegistryOptions>? change = null)
    {
        var options = new RegistryOptions
        {
            DockerConfigDirectory = _config.FullName,
            HostsDirectories = [],
            RetryDelay = TimeSpan.FromMilliseconds(1),
            MaxRetryDelay = TimeSpan.FromMilliseconds(5),
            IdleTimeout = TimeSpan.FromMilliseconds(500),
        };
        Client = new RegistryClient(change is null ? options : change(options));
        Repository = Open("r");
    }

    public FakeRegistry Registry { get; } = new();

    public RegistryClient Client { get; }

    public RepositoryClient Repository { get; }

    public string ConfigDirectory => _config.FullName;

    public RepositoryClient Open(string repository) => Client.Repository(ImageReference.Parse($"{Registry.Host}/{repository}"));

    public IEnumerable<string> Asked => Registry.Requests.Select(request => $"{request.Method} {request.Target}");

    public async ValueTask DisposeAsync()
    {
        Repository.Dispose();
        await Client.DisposeAsync();
        await Registry.DisposeAsync();
        _config.Delete(recursive: true);
    }
}
