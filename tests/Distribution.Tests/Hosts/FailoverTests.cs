using System.Text;
using ImageStore.Distribution.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Hosts;

/// <summary>Mirrors in their order, and what becomes of a pull when they fail.</summary>
public sealed class FailoverTests : IAsyncDisposable
{
    private static readonly byte[] s_manifest = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}"}""");

    private readonly DirectoryInfo _certs = Directory.CreateTempSubdirectory("imagestore-certs-");
    private readonly FakeRegistry _mirror = new();
    private readonly RegistryPair _pair;

    public FailoverTests() => _pair = new RegistryPair(options => options with { HostsDirectories = [_certs.FullName], MaxRetries = 1 });

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private FakeRegistry Upstream => _pair.Registry;

    public async ValueTask DisposeAsync()
    {
        await _pair.DisposeAsync();
        await _mirror.DisposeAsync();
        _certs.Delete(recursive: true);
    }

    [Fact]
    public async Task Pull_MirrorHasIt_UpstreamIsNotAskedAndTheMirrorIsToldForWhom()
    {
        Configure();
        _mirror.AddManifest("r", "t", s_manifest);
        _mirror.Intercept = request => _mirror.Serve(request with { Target = request.Target.Split('?')[0] });

        using var repository = _pair.Open("r");
        await repository.FetchManifestAsync("t", Ct);

        Assert.Empty(Upstream.Requests);
        Assert.EndsWith($"?ns={Uri.EscapeDataString(Upstream.Host)}", Assert.Single(_mirror.Requests).Target, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task Pull_MirrorRefuses_UpstreamServes(int status)
    {
        Configure();
        Upstream.AddManifest("r", "t", s_manifest);
        _mirror.Intercept = _ => FakeResponse.Text(status, "");

        using var repository = _pair.Open("r");

        Assert.Equal(s_manifest, (await repository.FetchManifestAsync("t", Ct)).Bytes.ToArray());
    }

    [Fact]
    public async Task Pull_MirrorIsDead_IsAskedOnceAndThenLeftAlone()
    {
        Configure();
        var descriptor = Upstream.AddManifest("r", "t", s_manifest);
        _mirror.Intercept = _ => FakeResponse.Text(503, "");

        using var repository = _pair.Open("r");
        await repository.FetchManifestAsync("t", Ct);
        var asked = _mirror.Requests.Count;
        await repository.FetchManifestAsync(descriptor, Ct);

        Assert.Equal(asked, _mirror.Requests.Count);
    }

    [Fact]
    public async Task Pull_BlobBreaksAtTheMirror_GoesOnAtTheUpstream()
    {
        Configure();
        var bytes = new byte[300_000];
        new Random(3).NextBytes(bytes);
        var blob = Upstream.AddBlob("r", bytes);
        _mirror.Intercept = request => request.Header("Range") is null
            ? new FakeResponse { Body = bytes, TruncateAt = 100_000 }
            : FakeResponse.Text(500, "");

        using var repository = _pair.Open("r");
        await using var stream = await repository.OpenBlobAsync(blob, 0, Ct);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Ct);

        Assert.Equal(bytes, copy.ToArray());
        Assert.Equal("bytes=100000-", Upstream.Requests.Last().Header("Range"));
    }

    [Fact]
    public async Task Pull_NobodyServes_EachOnesReasonIsTold()
    {
        Configure();
        _mirror.Intercept = _ => FakeResponse.Text(500, """{"errors":[{"code":"X","message":"mirror is ill"}]}""");
        Upstream.Intercept = _ => FakeResponse.Text(403, """{"errors":[{"code":"DENIED","message":"not you"}]}""");

        using var repository = _pair.Open("r");
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => repository.FetchManifestAsync("t", Ct));

        Assert.Contains(_mirror.Host, failure.Message, StringComparison.Ordinal);
        Assert.Contains("mirror is ill", failure.Message, StringComparison.Ordinal);
        Assert.Contains(Upstream.Host, failure.Message, StringComparison.Ordinal);
        Assert.Contains("not you", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_FallbackForbidden_UpstreamIsNeverAsked()
    {
        Configure(before: "fallback = false\n");
        Upstream.AddManifest("r", "t", s_manifest);
        _mirror.Intercept = _ => FakeResponse.Text(404, "");

        using var repository = _pair.Open("r");
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => repository.FetchManifestAsync("t", Ct));

        Assert.Equal(ErrorKind.NotFound, failure.Kind);
        Assert.Empty(Upstream.Requests);
    }

    [Fact]
    public async Task Resolve_MirrorMayOnlyPull_TagsAreAskedUpstream()
    {
        Configure(after: "capabilities = [\"pull\"]");
        Upstream.AddManifest("r", "t", s_manifest);

        using var repository = _pair.Open("r");
        await repository.ResolveAsync("t", Ct);

        Assert.Empty(_mirror.Requests);
    }

    [Fact]
    public async Task Referrers_MirrorMayNotTellThem_UpstreamIsAsked()
    {
        // A cache that knows nothing of referrers says that there are none.
        Configure(after: "capabilities = [\"pull\", \"resolve\"]");
        var subject = Digest.Compute("an image"u8);
        Upstream.Uploads.HasReferrersApi = true;

        using var repository = _pair.Open("r");
        Assert.Empty(await repository.ListReferrersAsync(subject, null, Ct));

        Assert.Empty(_mirror.Requests);
        Assert.Contains("/referrers/", Assert.Single(Upstream.Requests).Target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Push_MirrorMayNotBeWritten_GoesUpstream()
    {
        Configure(after: "capabilities = [\"pull\", \"resolve\"]");
        var blob = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Compute("x"u8), Size = 1 };

        using var repository = _pair.Open("r");
        await repository.PutBlobAsync(blob, (_, _) => Task.FromResult<Stream>(new MemoryStream("x"u8.ToArray())), null, Ct);

        Assert.Empty(_mirror.Requests);
        Assert.NotNull(Upstream.Find($"/v2/r/blobs/{blob.Digest}"));
    }

    [Fact]
    public async Task Pull_NoHostMayResolve_SaysWhereThatIsConfigured()
    {
        Configure(before: "fallback = false\n", after: "capabilities = [\"pull\"]");

        using var repository = _pair.Open("r");
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => repository.ResolveAsync("t", Ct));

        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.Contains("hosts explain", failure.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_OfTheRegistry_NeverGoToItsMirror()
    {
        Configure();
        await File.WriteAllTextAsync(
            Path.Combine(_pair.ConfigDirectory, "config.json"), "{\"auths\":{\"" + Upstream.Host + "\":{\"auth\":\"dTpw\"}}}", Ct);
        Upstream.AddManifest("r", "t", s_manifest);
        Upstream.Intercept = NeedsBasic;
        _mirror.Intercept = NeedsBasic;

        using var repository = _pair.Open("r");
        await repository.FetchManifestAsync("t", Ct);

        Assert.All(_mirror.Requests, request => Assert.Null(request.Header("Authorization")));
        Assert.Contains(Upstream.Requests, request => request.Header("Authorization") == "Basic dTpw");
    }

    [Fact]
    public async Task Credentials_OfTheHostItself_AreSent()
    {
        Configure(after: $"[host.\"http://{_mirror.Host}\".auth]\n username = \"u\"\n password = \"p\"\n[host.\"http://{_mirror.Host}\".header]\n x-team = \"blue\"");
        _mirror.AddManifest("r", "t", s_manifest);
        _mirror.Intercept = request => NeedsBasic(request) ?? _mirror.Serve(request with { Target = request.Target.Split('?')[0] });

        using var repository = _pair.Open("r");
        await repository.FetchManifestAsync("t", Ct);

        Assert.All(_mirror.Requests, request => Assert.Equal("blue", request.Header("x-team")));
        Assert.Empty(Upstream.Requests);
    }

    private static FakeResponse? NeedsBasic(FakeRequest request) => request.Header("Authorization") == "Basic dTpw"
        ? null
        : FakeResponse.Text(401, "", ("WWW-Authenticate", "Basic realm=\"x\""));

    private void Configure(string before = "", string after = "")
    {
        var folder = _certs.CreateSubdirectory(Upstream.Host);
        File.WriteAllText(Path.Combine(folder.FullName, "hosts.toml"), $"{before}[host.\"http://{_mirror.Host}\"]\n{after}\n");
    }
}
