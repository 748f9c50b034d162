using System.Text.Json;
using ImageStore.Distribution.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Auth;

/// <summary>Logging in and out, and what is left of it on disk.</summary>
public sealed class RegistryLoginTests : IAsyncDisposable
{
    private readonly RegistryPair _pair = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string File => Path.Combine(_pair.ConfigDirectory, "config.json");

    public ValueTask DisposeAsync() => _pair.DisposeAsync();

    [Fact]
    public async Task Login_Basic_IsCheckedAndKeptForTheOwnerAlone()
    {
        _pair.Registry.Intercept = Basic;
        await System.IO.File.WriteAllTextAsync(File, """{"HttpHeaders":{"X":"y"},"auths":{"other.example":{"auth":"eDp5"}}}""", Ct);

        var result = await _pair.Client.LoginAsync(_pair.Registry.Host, "u", "p", Ct);

        Assert.True(result.Verified);
        using var json = JsonDocument.Parse(await System.IO.File.ReadAllTextAsync(File, Ct));
        Assert.Equal("dTpw", json.RootElement.GetProperty("auths").GetProperty(_pair.Registry.Host).GetProperty("auth").GetString());
        Assert.Equal("eDp5", json.RootElement.GetProperty("auths").GetProperty("other.example").GetProperty("auth").GetString());
        Assert.Equal("y", json.RootElement.GetProperty("HttpHeaders").GetProperty("X").GetString());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        Assert.Single(Directory.EnumerateFileSystemEntries(_pair.ConfigDirectory));
    }

    [Fact]
    public async Task Login_Refused_LeavesTheFileAlone()
    {
        _pair.Registry.Intercept = Basic;

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Client.LoginAsync(_pair.Registry.Host, "u", "hunter2", Ct));

        Assert.Equal(ErrorKind.Unauthenticated, failure.Kind);
        Assert.DoesNotContain("hunter2", failure.ToString(), StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public async Task Login_Bearer_AsksTheTokenServerForNoScope()
    {
        _pair.Registry.Intercept = request => request.Target.StartsWith("/token", StringComparison.Ordinal)
            ? request.Header("Authorization") == "Basic dTpw"
                ? FakeResponse.Text(200, """{"token":"abc"}""")
                : FakeResponse.Text(401, "")
            : request.Header("Authorization") == "Bearer abc"
                ? FakeResponse.Text(200, "{}")
                : FakeResponse.Text(401, "", ("WWW-Authenticate", $"Bearer realm=\"http://{_pair.Registry.Host}/token\",service=\"s\""));

        Assert.True((await _pair.Client.LoginAsync(_pair.Registry.Host, "u", "p", Ct)).Verified);
        Assert.Contains("GET /token?service=s", _pair.Asked);
        await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Client.LoginAsync(_pair.Registry.Host, "u", "wrong", Ct));
    }

    [Fact]
    public async Task Login_RegistryAsksNobody_SaysThatItIsUnverified()
    {
        _pair.Registry.Intercept = _ => FakeResponse.Text(200, "{}");

        Assert.False((await _pair.Client.LoginAsync(_pair.Registry.Host, "u", "p", Ct)).Verified);
    }

    [Fact]
    public async Task Login_FileIsALink_StaysOne()
    {
        _pair.Registry.Intercept = Basic;
        var real = Path.Combine(_pair.ConfigDirectory, "real.json");
        await System.IO.File.WriteAllTextAsync(real, "{}", Ct);
        System.IO.File.CreateSymbolicLink(File, "real.json");

        await _pair.Client.LoginAsync(_pair.Registry.Host, "u", "p", Ct);

        Assert.NotNull(new FileInfo(File).LinkTarget);
        Assert.Contains("dTpw", await System.IO.File.ReadAllTextAsync(real, Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Login_FileIsMalformed_IsNotTouched()
    {
        _pair.Registry.Intercept = Basic;
        await System.IO.File.WriteAllTextAsync(File, "{ hunter2", Ct);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Client.LoginAsync(_pair.Registry.Host, "u", "p", Ct));

        Assert.DoesNotContain("hunter2", failure.Message, StringComparison.Ordinal);
        Assert.Equal("{ hunter2", await System.IO.File.ReadAllTextAsync(File, Ct));
    }

    [Theory]
    [InlineData("myregistry")]
    [InlineData("reg.example/path")]
    [InlineData("")]
    [InlineData("a b.example")]
    public async Task Login_NoRegistry_IsRefused(string name)
    {
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Client.LoginAsync(name, "u", "p", Ct));

        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
    }

    [Fact]
    public async Task Logout_EverySpellingOfTheHost_IsForgotten()
    {
        await System.IO.File.WriteAllTextAsync(
            File,
            """{"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"},"docker.io":{"auth":"dTpw"},"keep.example":{"auth":"dTpw"}}}""",
            Ct);

        Assert.Equal([File], await _pair.Client.LogoutAsync("docker.io", Ct));
        Assert.Empty(await _pair.Client.LogoutAsync("docker.io", Ct));
        var left = await System.IO.File.ReadAllTextAsync(File, Ct);
        Assert.Contains("keep.example", left, StringComparison.Ordinal);
        Assert.DoesNotContain("docker.io", left, StringComparison.Ordinal);
    }

    private static FakeResponse? Basic(FakeRequest request) => request.Header("Authorization") == "Basic dTpw"
        ? FakeResponse.Text(200, "{}")
        : FakeResponse.Text(401, "", ("WWW-Authenticate", "Basic realm=\"x\""));
}
