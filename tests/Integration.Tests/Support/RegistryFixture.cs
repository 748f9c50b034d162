namespace ImageStore.Integration.Tests.Support;

/// <summary>Debian's docker-registry on loopback, filled with the images of <see cref="Layouts"/>.</summary>
public sealed class RegistryFixture : IAsyncLifetime
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-registry-");
    private DebianRegistry? _server;

    public string Host { get; private set; } = string.Empty;

    public string Work => _work.FullName;

    public async ValueTask InitializeAsync()
    {
        if (Run.Find("docker-registry") is null || Run.Find("skopeo") is null)
        {
            return;
        }

        _server = await DebianRegistry.StartAsync(Work);
        Host = _server.Host;
    }

    /// <summary>Pushes an OCI layout byte for byte, and returns the reference to pull.</summary>
    public Task<string> PushAsync(string layout, string name) => PushAsync(layout, name, "--all", "--preserve-digests");

    /// <summary>Pushes an OCI layout in the way that skopeo's options say.</summary>
    public async Task<string> PushAsync(string layout, string name, params string[] options)
    {
        await Run.AsyncOk(
            "skopeo", ["copy", "--dest-tls-verify=false", "--insecure-policy", .. options, $"oci:{layout}:latest", $"docker://{Host}/{name}:latest"]);
        return $"{Host}/{name}:latest";
    }

    /// <summary>Skips the test when the real registry cannot run here.</summary>
    public void Need()
    {
        Run.Need("docker-registry", "skopeo");
        Assert.NotEmpty(Host);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _work.Delete(recursive: true);
    }
}

[CollectionDefinition(Name)]
public sealed class RegistryGroup : ICollectionFixture<RegistryFixture>
{
    public const string Name = "registry";
}
