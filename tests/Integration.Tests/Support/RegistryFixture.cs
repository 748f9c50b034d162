using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImageStore.Integration.Tests.Support;

/// <summary>Debian's docker-registry on loopback, filled with the images of <see cref="Layouts"/>.</summary>
public sealed class RegistryFixture : IAsyncLifetime
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-registry-");
    private Process? _server;

    public string Host { get; private set; } = string.Empty;

    public string Work => _work.FullName;

    public async ValueTask InitializeAsync()
    {
        if (Run.Find("docker-registry") is null || Run.Find("skopeo") is null)
        {
            return;
        }

        Host = $"127.0.0.1:{FreePort()}";
        var config = Path.Combine(Work, "config.yml");
        await File.WriteAllTextAsync(config, $$$"""
            version: 0.1
            log: {level: error, accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: {{{Work}}}/data}, delete: {enabled: true}}
            http: {addr: "{{{Host}}}"}
            """);
        _server = Run.Start("docker-registry", ["serve", config]);
        _server.BeginErrorReadLine();
        _server.BeginOutputReadLine();
        using var probe = new HttpClient();
        for (var attempt = 0; attempt < 100; attempt++)
        {
            try
            {
                using var answer = await probe.GetAsync(new Uri($"http://{Host}/v2/"));
                return;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(50);
            }
        }

        throw new InvalidOperationException("docker-registry did not start.");
    }

    /// <summary>Pushes an OCI layout, and returns the reference to pull.</summary>
    public async Task<string> PushAsync(string layout, string name, string tag = "latest")
    {
        await Run.AsyncOk(
            "skopeo", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", "--insecure-policy", $"oci:{layout}:{tag}", $"docker://{Host}/{name}:{tag}");
        return $"{Host}/{name}:{tag}";
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
            _server.Kill();
            await _server.WaitForExitAsync();
            _server.Dispose();
        }

        _work.Delete(recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

[CollectionDefinition(Name)]
public sealed class RegistryGroup : ICollectionFixture<RegistryFixture>
{
    public const string Name = "registry";
}
