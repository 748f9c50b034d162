using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Registry;

namespace ImageStore.Distribution.Tests.Auth;

/// <summary>The files in which docker and podman keep credentials.</summary>
public sealed class CredentialFileTests : IDisposable
{
    private readonly string _config = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_config, true);

    [Theory]
    [InlineData("registry.test", "team/app", "host")]
    [InlineData("registry.test", "team/other/deep", "longer")]
    [InlineData("registry.test", "team/other", "longer")]
    [InlineData("registry.test:5000", "a", "port")]
    [InlineData("old.test", "a", "url")]
    [InlineData("docker.io", "library/alpine", "hub")]
    [InlineData("unknown.test", "a", null)]
    public async Task Find_SeveralEntries_TheLongestThatFitsWins(string registry, string repository, string? user)
    {
        var entries = new Dictionary<string, string>
        {
            ["registry.test"] = "host",
            ["registry.test/team/other"] = "longer",
            ["registry.test:5000"] = "port",
            ["https://old.test/v1/"] = "url",
            ["https://index.docker.io/v1/"] = "hub",
        };
        Write("{\"auths\":{" + string.Join(',', entries.Select(pair =>
            $"\"{pair.Key}\":{{\"auth\":\"{Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(pair.Value + ":p:w"))}\"}}")) + "}}");

        var found = await FindAsync(registry, repository);

        Assert.Equal(user, found?.Username);
        Assert.Equal(user is null ? null : "p:w", found?.Password);
    }

    [Fact]
    public async Task Find_Tokens_AreToldApart()
    {
        Write("""{"auths":{"a.test":{"identitytoken":"i"},"b.test":{"registrytoken":"r"},"c.test":{"username":"u","password":"p"},"d.test":{}}}""");

        Assert.Equal("i", (await FindAsync("a.test", "x"))!.IdentityToken);
        Assert.Equal("r", (await FindAsync("b.test", "x"))!.RegistryToken);
        Assert.Equal("u", (await FindAsync("c.test", "x"))!.Username);
        Assert.Null(await FindAsync("d.test", "x"));
    }

    [Fact]
    public async Task Find_PodmansFile_IsReadWhereDockerHasNone()
    {
        var file = Path.Combine(_config, "auth.json");
        File.WriteAllText(file, """{"auths":{"registry.test":{"auth":"dTpw"}}}""");
        var before = Environment.GetEnvironmentVariable("REGISTRY_AUTH_FILE");
        Environment.SetEnvironmentVariable("REGISTRY_AUTH_FILE", file);
        try
        {
            var found = await new CredentialStore(new RegistryOptions()).FindAsync(
                "registry.test", "a", TestContext.Current.CancellationToken);
            Assert.Equal("u", found?.Username);
        }
        finally
        {
            Environment.SetEnvironmentVariable("REGISTRY_AUTH_FILE", before);
        }
    }

    private void Write(string json) => File.WriteAllText(Path.Combine(_config, "config.json"), json);

    private Task<Credential?> FindAsync(string registry, string repository) =>
        new CredentialStore(new RegistryOptions { DockerConfigDirectory = _config }).FindAsync(
            registry, repository, TestContext.Current.CancellationToken);
}
