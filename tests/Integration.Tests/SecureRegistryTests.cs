using System.Text;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests;

/// <summary>A registry with a certificate and a password.</summary>
[Collection(RegistryGroup.Name)]
public sealed class SecureRegistryTests(RegistryFixture registry) : IAsyncLifetime
{
    private const string Repository = "secure";

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-secure-");
    private SecureProxy? _proxy;

    public async ValueTask InitializeAsync()
    {
        if (Run.Find("nginx") is not null && registry.Host.Length > 0)
        {
            _proxy = await SecureProxy.StartAsync(registry.Host, Addresses.OtherAddress(), In("nginx"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        _work.Delete(recursive: true);
    }

    [Fact]
    public async Task Pull_TrustedAndKnown_Works()
    {
        var reference = await PushAsync();
        var cli = Cli(trusted: true, SecureProxy.Password);

        await cli.OkAsync("pull", "--no-unpack", reference);

        Assert.Contains(reference, await cli.OkAsync("images", "ls"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    public async Task Pull_PasswordMissingOrWrong_SaysSoAndNeverTellsIt(string? password)
    {
        var reference = await PushAsync();

        var result = await Cli(trusted: true, password).TryAsync("pull", "--no-unpack", reference);

        Assert.Equal(6, result.ExitCode);
        Assert.Contains(_proxy!.Host, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(" at ImageStore", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_AuthorityUnknown_SaysThatTheCertificateIsNotTrusted()
    {
        var reference = await PushAsync();

        var result = await Cli(trusted: false, SecureProxy.Password).TryAsync("pull", "--no-unpack", reference);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(_proxy!.Host, result.Error, StringComparison.Ordinal);
        Assert.Contains("certificate", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(" at ImageStore", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_LoopbackWithTls_FindsThatOut()
    {
        await PushAsync();
        await _proxy!.DisposeAsync();
        _proxy = await SecureProxy.StartAsync(registry.Host, System.Net.IPAddress.Loopback, In("loopback"));
        var reference = $"{_proxy.Host}/{Repository}:latest";

        await Cli(trusted: true, SecureProxy.Password).OkAsync("pull", "--no-unpack", reference);
    }

    private async Task<string> PushAsync()
    {
        Run.Need("nginx");
        registry.Need();
        await registry.PushAsync(Layouts.Random(In("layout"), 2, 3, 1000, seed: 4), Repository);
        return $"{_proxy!.Host}/{Repository}:latest";
    }

    private ImageStoreCli Cli(bool trusted, string? password)
    {
        var docker = Directory.CreateDirectory(In("docker")).FullName;
        var auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{SecureProxy.User}:{password}"));
        File.WriteAllText(
            Path.Combine(docker, "config.json"),
            password is null ? "{}" : $$$"""{"auths": {"{{{_proxy!.Host}}}": {"auth": "{{{auth}}}" } } }""");
        var environment = new Dictionary<string, string> { ["DOCKER_CONFIG"] = docker };
        if (trusted)
        {
            environment["SSL_CERT_FILE"] = _proxy!.AuthorityFile;
        }

        return new ImageStoreCli(In("root"), environment);
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
