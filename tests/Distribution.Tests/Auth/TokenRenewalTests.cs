using ImageStore.Distribution.Registry;
using ImageStore.Store.Oci;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Auth;

/// <summary>Tokens that end, by the clock or because the registry says so.</summary>
public sealed class TokenRenewalTests : IAsyncDisposable
{
    private static readonly byte[] s_manifest =
        System.Text.Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}"}""");

    private readonly FakeRegistry _registry = new();
    private readonly ShiftedTime _time = new();
    private readonly RegistryClient _client;
    private int _issued;
    private int _valid;

    public TokenRenewalTests()
    {
        _registry.AddManifest("r", "t", s_manifest);
        _registry.AddManifest("other", "t", s_manifest);
        _client = new RegistryClient(new RegistryOptions { Time = _time, DockerConfigDirectory = "/nowhere" });
        _registry.Intercept = request =>
        {
            if (request.Target.StartsWith("/token", StringComparison.Ordinal))
            {
                _valid = ++_issued;
                return FakeResponse.Text(200, $$"""{"token":"t{{_valid}}","expires_in":300}""");
            }

            return request.Header("Authorization") == $"Bearer t{_valid}"
                ? null
                : FakeResponse.Text(401, "", ("WWW-Authenticate", $"Bearer realm=\"http://{_registry.Host}/token\",service=\"s\""));
        };
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task Resolve_TokenEndsByTheClock_IsRenewedBeforeItIsRefused()
    {
        var repository = Repository("r");
        await repository.ResolveAsync("t", Ct);
        await repository.ResolveAsync("t", Ct);
        Assert.Equal(1, _issued);
        _time.Shift = TimeSpan.FromSeconds(295);
        _registry.Requests.Clear();

        await repository.ResolveAsync("t", Ct);

        Assert.Equal(2, _issued);
        Assert.Equal(2, _registry.Requests.Count);
    }

    [Fact]
    public async Task Resolve_TokenIsRevoked_IsRenewedOnceForAll()
    {
        var repository = Repository("r");
        await repository.ResolveAsync("t", Ct);
        _valid = -1;

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => repository.ResolveAsync("t", Ct)));

        Assert.Equal(2, _issued);
    }

    [Fact]
    public async Task Resolve_AnotherRepository_HasATokenOfItsOwn()
    {
        await Repository("r").ResolveAsync("t", Ct);
        await Repository("other").ResolveAsync("t", Ct);

        var scopes = _registry.Requests.Where(request => request.Target.StartsWith("/token", StringComparison.Ordinal))
            .Select(request => Uri.UnescapeDataString(request.Target));
        Assert.Collection(
            scopes,
            first => Assert.Contains("scope=repository:r:pull", first, StringComparison.Ordinal),
            second => Assert.Contains("scope=repository:other:pull", second, StringComparison.Ordinal));
    }

    private RepositoryClient Repository(string name) => _client.Repository(ImageReference.Parse($"{_registry.Host}/{name}:t"));

    private sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
