using System.Security.Cryptography;
using System.Text;
using ImageStore.Distribution.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Registry;

/// <summary>Oddities of registries in the wild, each once seen at one of them.</summary>
public sealed class TrapTests : IAsyncDisposable
{
    private static readonly byte[] s_manifest = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}"}""");

    private readonly RegistryPair _pair = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private FakeRegistry Registry => _pair.Registry;

    public ValueTask DisposeAsync() => _pair.DisposeAsync();

    [Fact]
    public async Task Challenge_IsGivenAtTheBaseAlone_IsAskedForThere()
    {
        Registry.AddManifest("r", "t", s_manifest);
        AskForTokens(request => request.Target == "/v2/");

        await _pair.Repository.ResolveAsync("t", Ct);

        Assert.Contains("GET /v2/", _pair.Asked);
    }

    [Fact]
    public async Task Token_LivesNotEvenAMinute_IsKeptForOne()
    {
        Registry.AddManifest("r", "t", s_manifest);
        AskForTokens(_ => true, """{"access_token":"abc","expires_in":1,"issued_at":"1999-01-01T00:00:00Z"}""");

        await _pair.Repository.ResolveAsync("t", Ct);
        await _pair.Repository.ResolveAsync("t", Ct);

        Assert.Single(Tokens);
    }

    [Fact]
    public async Task Token_ForAMount_AsksForTheTargetFirst()
    {
        var blob = Registry.AddBlob("from", "blob"u8.ToArray());
        AskForTokens(_ => true);

        Assert.True(await _pair.Repository.TryMountAsync(blob, "from", Ct));

        Assert.Matches("scope=repository:r:pull,push&scope=repository:from:pull", Uri.UnescapeDataString(Assert.Single(Tokens)));
    }

    [Fact]
    public async Task Challenge_IsBasicForATokenThatIsTooWeak_PasswordIsSent()
    {
        // Harbor, to a request that its token does not cover.
        Registry.AddManifest("r", "t", s_manifest);
        await File.WriteAllTextAsync(
            Path.Combine(_pair.ConfigDirectory, "config.json"), "{\"auths\":{\"" + Registry.Host + "\":{\"auth\":\"dTpw\"}}}", Ct);
        Registry.Intercept = request => request.Target.StartsWith("/token", StringComparison.Ordinal) ? FakeResponse.Text(200, """{"token":"weak"}""")
            : request.Header("Authorization") switch
            {
                "Basic dTpw" => null,
                "Bearer weak" => FakeResponse.Text(401, "", ("WWW-Authenticate", "Basic realm=\"harbor\"")),
                _ => FakeResponse.Text(401, "", ("WWW-Authenticate", $"Bearer realm=\"http://{Registry.Host}/token\",service=\"s\"")),
            };

        Assert.Equal(Digest.Compute(s_manifest), (await _pair.Repository.ResolveAsync("t", Ct)).Digest);
    }

    [Fact]
    public async Task Token_ForADeletion_AsksForWhatAllRegistriesGrant()
    {
        var manifest = Registry.AddManifest("r", "t", s_manifest);
        AskForTokens(_ => true);

        await _pair.Repository.DeleteAsync(manifest.Digest.ToString(), Ct);

        Assert.Contains("scope=repository:r:*", Uri.UnescapeDataString(Tokens.Last()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cookies_AreNeverSentBack()
    {
        Registry.AddManifest("r", "t", s_manifest);
        Registry.Intercept = request =>
        {
            var served = Registry.Serve(request);
            return served with { Headers = new Dictionary<string, string>(served.Headers) { ["Set-Cookie"] = "_gorilla_csrf=x; Path=/" } };
        };

        await _pair.Repository.ResolveAsync("t", Ct);
        await _pair.Repository.ResolveAsync("t", Ct);

        Assert.All(Registry.Requests, request => Assert.Null(request.Header("Cookie")));
    }

    [Fact]
    public async Task Redirect_TargetRefuses_TheTokenOfTheRegistryStays()
    {
        await using var storage = new FakeRegistry();
        storage.Intercept = _ => FakeResponse.Text(401, "", ("WWW-Authenticate", $"Bearer realm=\"http://{storage.Host}/token\",service=\"evil\""));
        Registry.AddManifest("r", "t", s_manifest);
        var blob = Registry.AddBlob("r", "blob"u8.ToArray());
        AskForTokens(_ => true);
        var usual = Registry.Intercept!;
        Registry.Intercept = request => usual(request) ?? (request.Target.Contains("/blobs/", StringComparison.Ordinal)
            ? FakeResponse.Text(307, "", ("Location", $"http://{storage.Host}/elsewhere"))
            : null);

        await _pair.Repository.ResolveAsync("t", Ct);
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Repository.OpenBlobAsync(blob, 0, Ct));
        await _pair.Repository.ResolveAsync("t", Ct);

        Assert.Equal(ErrorKind.Unauthenticated, failure.Kind);
        Assert.Single(Tokens);
        Assert.Equal("/elsewhere", Assert.Single(storage.Requests).Target);
    }

    [Fact]
    public async Task Redirect_OfAnUpload_KeepsItsMethodAndItsBytes()
    {
        // A browser would make a GET of it.
        Registry.Next(_ => FakeResponse.Text(302, "", ("Location", $"http://{Registry.Host}/v2/moved/blobs/uploads/")));
        var bytes = "blob"u8.ToArray();
        var blob = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Compute(bytes), Size = bytes.Length };

        await _pair.Repository.PutBlobAsync(blob, (offset, _) => Task.FromResult<Stream>(new MemoryStream(bytes[(int)offset..])), null, Ct);

        Assert.Equal(bytes, Registry.Find($"/v2/moved/blobs/{blob.Digest}"));
        Assert.Equal(2, Registry.Requests.Count(request => request.Method == "POST"));
    }

    [Fact]
    public async Task Redirects_WithoutEnd_AreCutOff()
    {
        Registry.Intercept = request => FakeResponse.Text(307, "", ("Location", $"http://{Registry.Host}{request.Target}x"));

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Repository.FetchManifestAsync("t", Ct));

        Assert.Contains("redirects more than 10 times", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sha512")]
    [InlineData("bare")]
    [InlineData("nonsense")]
    public async Task ContentDigest_IsOfAnotherKind_TheBytesCount(string kind)
    {
        var expected = Registry.AddManifest("r", "t", s_manifest);
        var header = kind switch
        {
            "sha512" => "sha512:" + Convert.ToHexStringLower(SHA512.HashData(s_manifest)),
            "bare" => expected.Digest.Hex,
            _ => "sha256:xyz",
        };
        Registry.Intercept = request => request.Method == "GET"
            ? new FakeResponse { Body = s_manifest, Headers = new Dictionary<string, string> { ["Docker-Content-Digest"] = header } }
            : FakeResponse.Text(405, "");

        var fetched = await _pair.Repository.FetchManifestAsync(expected.Digest.ToString(), Ct);

        Assert.Equal(expected.Digest, fetched.Descriptor.Digest);
        Assert.Equal(s_manifest, fetched.Bytes.ToArray());
    }

    [Fact]
    public async Task Head_SaysYesAndGetSaysNo_IsNotFound()
    {
        Registry.AddManifest("r", "t", s_manifest);
        Registry.Intercept = request => request.Method == "GET" ? FakeResponse.Text(404, "{\"errors\":[]}") : null;

        await _pair.Repository.ResolveAsync("t", Ct);
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Repository.FetchManifestAsync("t", Ct));

        Assert.Equal(ErrorKind.NotFound, failure.Kind);
    }

    [Theory]
    [InlineData("""{"errors":[{"code":"NOT_FOUND","message":"artifact r:t not found"}]}""")]
    [InlineData("404 page not found")]
    [InlineData("")]
    public async Task NotFound_InWhateverWords_IsTold(string body)
    {
        Registry.Intercept = _ => FakeResponse.Text(404, body);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Repository.FetchManifestAsync("t", Ct));

        Assert.Equal(ErrorKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task Limits_OfTheRegistry_AreTold()
    {
        Registry.Intercept = _ => FakeResponse.Text(
            429, """{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 880.092µs, allowed: 44000/minute"}]}""", ("Retry-After", "880.092µs"));

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Repository.FetchManifestAsync("t", Ct));

        Assert.Equal(ErrorKind.TooManyRequests, failure.Kind);
        Assert.Contains("44000/minute", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Manifest_IsPushedAsTheTypeThatItSays()
    {
        var config = Registry.AddBlob("r", "{}"u8.ToArray());
        var bytes = Encoding.UTF8.GetBytes(
            $$"""{"mediaType":"{{MediaTypes.DockerManifest}}",  "schemaVersion":2,"config":{"mediaType":"{{MediaTypes.DockerConfig}}","digest":"{{config.Digest}}","size":2},"layers":[]}""");
        Registry.AddManifest("r", "t", bytes, MediaTypes.DockerManifest);
        var fetched = await _pair.Repository.FetchManifestAsync("t", Ct);

        await _pair.Repository.PutManifestAsync(fetched, "u", Ct);

        var put = Assert.Single(Registry.Requests, request => request.Method == "PUT");
        Assert.Equal(MediaTypes.DockerManifest, put.Header("Content-Type"));
        Assert.Equal(bytes, put.Bytes);
    }

    [Theory]
    [InlineData(MediaTypes.DockerSchema1Signed)]
    [InlineData(MediaTypes.OciManifest)]
    public async Task Deletion_OfWhatCannotBeRead_IsDone(string mediaType)
    {
        var manifest = Registry.AddManifest("r", "t", "{}"u8.ToArray(), mediaType);

        await _pair.Repository.DeleteAsync(manifest.Digest.ToString(), Ct);

        Assert.Null(Registry.Find($"/v2/r/manifests/{manifest.Digest}"));
    }

    private IEnumerable<string> Tokens => Registry.Requests.Select(request => request.Target).Where(target => target.StartsWith("/token", StringComparison.Ordinal));

    private void AskForTokens(Func<FakeRequest, bool> challenged, string token = """{"token":"abc"}""") => Registry.Intercept = request =>
        request.Target.StartsWith("/token", StringComparison.Ordinal) ? FakeResponse.Text(200, token)
        : request.Header("Authorization") == "Bearer abc" ? null
        : !challenged(request) ? FakeResponse.Text(401, "")
        : FakeResponse.Text(401, "", ("WWW-Authenticate", $"Bearer realm=\"http://{Registry.Host}/token\",service=\"s\""));
}
