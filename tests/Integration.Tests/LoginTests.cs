using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests;

/// <summary>Registries that ask who one is, by password and by token.</summary>
public sealed class LoginTests : IAsyncLifetime
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-login-");
    private DebianRegistry? _open;

    public async ValueTask InitializeAsync()
    {
        if (Run.Find("docker-registry") is not null)
        {
            _open = await DebianRegistry.StartAsync(In("open"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_open is not null)
        {
            await _open.DisposeAsync();
        }

        _work.Delete(recursive: true);
    }

    [Fact]
    public async Task Htpasswd_LoginPushPullLogout()
    {
        Run.Need("docker-registry", "perl");
        var hash = await Run.AsyncOk("perl", "-e", """print crypt("secret", '$2y$05$abcdefghijklmnopqrstuu')""");
        await File.WriteAllTextAsync(In("users"), $"someone:{hash}\n");
        await using var registry = await DebianRegistry.StartAsync(In("htpasswd"), $"auth: {{htpasswd: {{realm: r, path: {In("users")}}}}}");

        await RoundAsync(registry.Host, "someone", "secret");
    }

    [Fact]
    public async Task Token_LoginPushPullLogout_AsksForNoMoreThanItNeeds()
    {
        Run.Need("docker-registry");
        await using var tokens = new TokenServer(In("tokens"));
        await using var registry = await DebianRegistry.StartAsync(In("token"), tokens.Configuration);

        await RoundAsync(registry.Host, TokenServer.User, TokenServer.Password);

        Assert.Contains("repository:app:pull", tokens.Scopes);
        Assert.Contains("repository:app:pull,push", tokens.Scopes);
        Assert.Contains("repository:app:*", tokens.Scopes);
        Assert.Contains("repository:copy:pull,push", tokens.Scopes);
        Assert.DoesNotContain(tokens.Scopes, scope => scope.StartsWith("registry:", StringComparison.Ordinal));
    }

    private async Task RoundAsync(string host, string user, string password)
    {
        var cli = new ImageStoreCli(In("root"), new Dictionary<string, string> { ["DOCKER_CONFIG"] = In("docker") });
        var layout = Layouts.Random(Directory.CreateDirectory(In("layout")).FullName, 2, 3, 1000, seed: 11);

        var refused = await cli.TryAsync("-q", "copy", $"oci:{layout}:latest", $"{host}/app:1");
        Assert.Equal(6, refused.ExitCode);
        Assert.Contains("imagestore login", refused.Error, StringComparison.Ordinal);
        var wrong = await cli.TryWithInputAsync("wrong", "login", "-u", user, "--password-stdin", host);
        Assert.Equal(6, wrong.ExitCode);
        Assert.False(File.Exists(In("docker/config.json")));

        var login = await cli.TryWithInputAsync(password + "\n", "login", "-u", user, "--password-stdin", host);
        Assert.True(login.ExitCode == 0, login.Error);
        Assert.DoesNotContain(password, login.Output + login.Error, StringComparison.Ordinal);
        await cli.OkAsync("-q", "copy", $"oci:{layout}:latest", $"{host}/app:1");
        await cli.OkAsync("-q", "copy", $"{host}/app:1", $"{host}/copy:1");
        await cli.OkAsync("-q", "pull", "--no-unpack", $"{host}/app:1");
        Assert.Equal("1\n", await cli.OkAsync("tags", $"{host}/app"));
        var digest = (await cli.OkAsync("digest", $"{host}/app:1")).Trim();
        await cli.OkAsync("delete", $"{host}/app@{digest}");
        Assert.Equal(3, (await cli.TryAsync("digest", $"{host}/app:1")).ExitCode);

        await cli.OkAsync("logout", host);
        Assert.Equal(6, (await cli.TryAsync("tags", $"{host}/app")).ExitCode);
        Assert.DoesNotContain("auth\"", await File.ReadAllTextAsync(In("docker/config.json")), StringComparison.Ordinal);
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
