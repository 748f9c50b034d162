using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transport;
using ImageStore.Store.Errors;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Auth;

public sealed class TokenClientTests
{
    [Theory]
    [InlineData(200)]
    [InlineData(404)]
    [InlineData(403)]
    public async Task Get_IdentityToken_PostsThenFallsBack(int status)
    {
        await using var server = new FakeRegistry();
        using var transport = new HttpTransport(new RegistryOptions());
        server.Intercept = request => request.Method == "POST" && status != 200
            ? FakeResponse.Text(status, "")
            : FakeResponse.Text(200, """{"token":"t"}""");
        var token = await GetAsync(transport, "http://" + server.Host, $"http://{server.Host}/token");
        Assert.Equal("Bearer t", token.Header.ToString());
        Assert.Contains("refresh_token=id", server.Requests.First().Body, StringComparison.Ordinal);
        Assert.Equal(status == 200 ? 1 : 2, server.Requests.Count);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://example.test/token")]
    public async Task Get_RealmDowngrades_Refused(string realm)
    {
        using var transport = new HttpTransport(new RegistryOptions());
        var error = await Assert.ThrowsAsync<ImageStoreException>(
            () => GetAsync(transport, "https://registry.test", realm));
        Assert.Equal(ErrorKind.PermissionDenied, error.Kind);
    }

    private static Task<BearerToken> GetAsync(HttpTransport transport, string registry, string realm) =>
        new TokenClient(transport, TimeProvider.System).GetAsync(
            new RegistryHost("registry.test", new Uri(registry), IsGuess: false) { CredentialKey = "registry.test" },
            Challenge.Parse($"Bearer realm=\"{realm}\"")[0],
            ["repository:r:pull"],
            new Credential { IdentityToken = "id" },
            TestContext.Current.CancellationToken);
}
