using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Registry;

public sealed class RepositoryClientTests : IAsyncDisposable
{
    private static readonly byte[] s_manifest =
        System.Text.Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}"}""");

    private readonly FakeRegistry _registry = new();
    private readonly string _config = Directory.CreateTempSubdirectory().FullName;
    private readonly RegistryClient _client;
    private readonly RepositoryClient _repository;
    private readonly byte[] _bytes = new byte[300_000];

    public RepositoryClientTests()
    {
        new Random(1).NextBytes(_bytes);
        _client = new RegistryClient(new RegistryOptions
        {
            DockerConfigDirectory = _config,
            RetryDelay = TimeSpan.FromMilliseconds(1),
            MaxRetryDelay = TimeSpan.FromMilliseconds(5),
            IdleTimeout = TimeSpan.FromMilliseconds(300),
        });
        _repository = _client.Repository(ImageReference.Parse($"{_registry.Host}/r"));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _registry.DisposeAsync();
        Directory.Delete(_config, true);
    }

    [Fact]
    public async Task Resolve_KnownTag_IsOneRequest()
    {
        var expected = _registry.AddManifest("r", "t", s_manifest);
        Assert.True(expected.SameContent(await _repository.ResolveAsync("t", Ct)));
        Assert.Equal("identity", Assert.Single(_registry.Requests).Header("Accept-Encoding"));
    }

    [Theory]
    [InlineData(405)]
    [InlineData(200)]
    public async Task Resolve_HeadIsUseless_HashesBody(int status)
    {
        var expected = _registry.AddManifest("r", "t", s_manifest);
        _registry.Next(_ => FakeResponse.Text(status, ""));
        Assert.True(expected.SameContent(await _repository.ResolveAsync("t", Ct)));
    }

    [Theory]
    [InlineData(401, ErrorKind.Unauthenticated)]
    [InlineData(403, ErrorKind.PermissionDenied)]
    [InlineData(404, ErrorKind.NotFound)]
    [InlineData(429, ErrorKind.TooManyRequests)]
    [InlineData(503, ErrorKind.Unavailable)]
    public async Task Fetch_ErrorStatus_HasItsKind(int status, ErrorKind kind)
    {
        _registry.Intercept = _ => FakeResponse.Text(status, "<html>", ("Retry-After", "880.092µs"));
        var error = await Assert.ThrowsAsync<ImageStoreException>(() => _repository.FetchManifestAsync("t", Ct));
        Assert.Equal(kind, error.Kind);
        Assert.Equal(status is 429 or 503 ? 5 : status == 401 ? 2 : 1, _registry.Requests.Count);
    }

    [Fact]
    public async Task Fetch_FailsTwice_Succeeds()
    {
        _registry.AddManifest("r", "t", s_manifest);
        _registry.Next(_ => FakeResponse.Text(429, "", ("Retry-After", "99999")));
        _registry.Next(_ => new FakeResponse { Body = s_manifest, TruncateAt = 3 });
        Assert.Equal(s_manifest, (await _repository.FetchManifestAsync("t", Ct)).Bytes.ToArray());
    }

    [Theory]
    [InlineData("text/html", "<html>", ErrorKind.CorruptData)]
    [InlineData(MediaTypes.DockerSchema1Signed, "{}", ErrorKind.Unsupported)]
    [InlineData(MediaTypes.OciIndex, """{"mediaType":"application/vnd.oci.image.manifest.v1+json"}""", ErrorKind.CorruptData)]
    public async Task Fetch_WrongType_Refused(string type, string body, ErrorKind kind)
    {
        _registry.Next(_ => FakeResponse.Text(200, body, ("Content-Type", type)));
        var error = await Assert.ThrowsAsync<ImageStoreException>(() => _repository.FetchManifestAsync("t", Ct));
        Assert.Equal(kind, error.Kind);
    }

    [Fact]
    public async Task Fetch_OtherBytesThanDigest_Corrupt()
    {
        _registry.Next(_ => new FakeResponse { Body = s_manifest });
        var error = await Assert.ThrowsAsync<ImageStoreException>(
            () => _repository.FetchManifestAsync(Digest.Compute("x"u8).ToString(), Ct));
        Assert.Equal(ErrorKind.CorruptData, error.Kind);
    }

    [Fact]
    public async Task Fetch_EndlessBody_LimitExceeded()
    {
        _registry.Next(_ => new FakeResponse { Body = new byte[65536], Endless = true });
        var error = await Assert.ThrowsAsync<ImageStoreException>(() => _repository.FetchManifestAsync("t", Ct));
        Assert.Equal(ErrorKind.LimitExceeded, error.Kind);
    }

    [Theory]
    [InlineData("truncate")]
    [InlineData("stall")]
    [InlineData("range200")]
    [InlineData("range400")]
    [InlineData("wrongrange")]
    [InlineData("wrongtotal")]
    [InlineData("multipart")]
    [InlineData("range503")]
    public async Task OpenBlob_Fault_AllBytesArrive(string fault)
    {
        var blob = _registry.AddBlob("r", _bytes);
        _registry.Next(_ => new FakeResponse
        {
            Body = _bytes,
            TruncateAt = fault == "stall" ? null : 100_000,
            StallAt = fault == "stall" ? 100_000 : null,
        });
        _registry.Next(_ => fault switch
        {
            "range200" => new FakeResponse { Body = _bytes },
            "range400" => new FakeResponse { Status = 400 },
            "range503" => new FakeResponse { Status = 503 },
            "wrongrange" => FakeResponse.Text(206, "x", ("Content-Range", "bytes 0-0/1")),
            "wrongtotal" => new FakeResponse
            {
                Status = 206,
                Body = new byte[200_000],
                Headers = new Dictionary<string, string> { ["Content-Range"] = "bytes 100000-299999/300001" },
            },
            "multipart" => FakeResponse.Text(206, "--x\r\n", ("Content-Type", "multipart/byteranges; boundary=x")),
            _ => null,
        });
        Assert.Equal(_bytes, await ReadAsync(blob, 0));
        Assert.NotNull(_registry.Requests.ElementAt(1).Header("Range"));
    }

    [Fact]
    public async Task OpenBlob_AtOffset_StartsThere()
    {
        var blob = _registry.AddBlob("r", _bytes);
        Assert.Equal(_bytes[1000..], await ReadAsync(blob, 1000));
    }

    [Fact]
    public async Task OpenBlob_MoreBytesThanSize_Corrupt()
    {
        var blob = _registry.AddBlob("r", _bytes) with { Size = 299_999 };
        _registry.Intercept = _ => new FakeResponse { Body = _bytes, OmitLength = true };
        var error = await Assert.ThrowsAsync<ImageStoreException>(() => ReadAsync(blob, 0));
        Assert.Equal(ErrorKind.CorruptData, error.Kind);
    }

    [Fact]
    public async Task OpenBlob_AlwaysShort_Corrupt()
    {
        var blob = _registry.AddBlob("r", _bytes) with { Size = 300_001 };
        var error = await Assert.ThrowsAsync<ImageStoreException>(() => ReadAsync(blob, 0));
        Assert.Equal(ErrorKind.CorruptData, error.Kind);
    }

    [Fact]
    public async Task Bearer_Challenge_TokenIsReusedAndNotRedirected()
    {
        await using var storage = new FakeRegistry();
        var blob = storage.AddBlob("r", _bytes);
        _registry.AddManifest("r", "t", s_manifest);
        _registry.Intercept = request => request.Target.StartsWith("/token", StringComparison.Ordinal)
            ? FakeResponse.Text(200, """{"access_token":"abc","expires_in":1}""")
            : request.Header("Authorization") != "Bearer abc"
                ? FakeResponse.Text(401, "", ("WWW-Authenticate",
                    $"Bearer realm=\"http://{_registry.Host}/token\",service=\"s\",scope=\"repository:user/image:pull\""))
                : request.Target.Contains("/blobs/", StringComparison.Ordinal)
                    ? FakeResponse.Text(307, "", ("Location", $"http://{storage.Host}{request.Target}"))
                    : null;
        await _repository.ResolveAsync("t", Ct);
        await _repository.ResolveAsync("t", Ct);
        Assert.Equal(_bytes, await ReadAsync(blob, 0));
        Assert.Equal(5, _registry.Requests.Count);
        Assert.Contains("repository%3Ar%3Apull", _registry.Requests.ElementAt(1).Target, StringComparison.Ordinal);
        Assert.Null(Assert.Single(storage.Requests).Header("Authorization"));
    }

    [Fact]
    public async Task Basic_FromDockerConfig_IsSent()
    {
        await File.WriteAllTextAsync(
            Path.Combine(_config, "config.json"), "{\"auths\":{\"" + _registry.Host + "\":{\"auth\":\"dTpw\"}}}", Ct);
        _registry.AddManifest("r", "t", s_manifest);
        _registry.Intercept = request => request.Header("Authorization") == "Basic dTpw"
            ? null
            : FakeResponse.Text(401, "", ("WWW-Authenticate", "Basic realm=\"x\""));
        await _repository.ResolveAsync("t", Ct);
        Assert.Equal(2, _registry.Requests.Count);
    }

    [Fact]
    public async Task Config_Malformed_NamesFileNotSecret()
    {
        await File.WriteAllTextAsync(Path.Combine(_config, "config.json"), "{\"auths\": hunter2", Ct);
        _registry.Intercept = _ => FakeResponse.Text(401, "", ("WWW-Authenticate", "Basic realm=\"x\""));
        var error = await Assert.ThrowsAsync<ImageStoreException>(() => _repository.ResolveAsync("t", Ct));
        Assert.Contains("config.json", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://169.254.169.254/")]
    public async Task Redirect_Forbidden_Refused(string location)
    {
        _registry.Intercept = _ => FakeResponse.Text(307, "", ("Location", location));
        var error = await Assert.ThrowsAsync<ImageStoreException>(() => _repository.FetchManifestAsync("t", Ct));
        Assert.Equal(ErrorKind.PermissionDenied, error.Kind);
    }

    private async Task<byte[]> ReadAsync(Descriptor blob, long offset)
    {
        await using var stream = await _repository.OpenBlobAsync(blob, offset, Ct);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, Ct);
        return copy.ToArray();
    }
}
