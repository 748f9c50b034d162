using ImageStore.Distribution.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Registry.Uploads;

/// <summary>Uploads, and what registries do to them.</summary>
public sealed class BlobUploadTests : IAsyncDisposable
{
    private const int Size = 6 * 1024 * 1024;

    private readonly RegistryPair _pair = new();
    private readonly byte[] _bytes = new byte[Size];
    private readonly Descriptor _blob;

    public BlobUploadTests()
    {
        new Random(7).NextBytes(_bytes);
        _blob = new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = Digest.Compute(_bytes), Size = Size };
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private FakeRegistry Registry => _pair.Registry;

    public ValueTask DisposeAsync() => _pair.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Put_Location_IsTakenWithItsQuery(bool absolute)
    {
        Registry.Uploads.AbsoluteLocations = absolute;

        await PutAsync();

        AssertStored();
        Assert.Equal(["POST", "PUT"], Registry.Requests.Select(request => request.Method));
    }

    [Fact]
    public async Task Put_LocationWithoutThePort_GetsIt()
    {
        Registry.Next(request =>
        {
            var opened = Registry.Serve(request);
            var headers = opened.Headers.ToDictionary();
            headers["Location"] = "http://127.0.0.1" + headers["Location"];
            return opened with { Headers = headers };
        });

        await PutAsync();

        AssertStored();
    }

    [Fact]
    public async Task Put_BreaksInTheMiddle_SendsOnlyTheRest()
    {
        // What came before the break is kept, and told when it is asked for.
        Registry.Next(_ => null);
        Registry.Next(request =>
        {
            Registry.Serve(request with { Method = "PATCH", Target = request.Target.Split("&digest")[0], Bytes = request.Bytes[..1_000_000] });
            return FakeResponse.Text(502, "<html>");
        });

        await PutAsync();

        AssertStored();
        var patch = Assert.Single(Registry.Requests, request => request.Method == "PATCH");
        Assert.Equal($"1000000-{Size - 1}", patch.Header("Content-Range"));
        Assert.Equal(Size - 1_000_000, patch.Bytes.Length);
        Assert.Contains(Registry.Requests, request => request.Method == "GET" && request.Target.Contains("/uploads/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Put_SessionIsGoneAfterABreak_OpensAnother()
    {
        Registry.Next(_ => null);
        Registry.Next(_ => FakeResponse.Text(503, ""));
        Registry.Next(_ => FakeResponse.Text(404, """{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"""));

        await PutAsync();

        AssertStored();
        Assert.Equal(2, Registry.Requests.Count(request => request.Method == "POST"));
    }

    [Fact]
    public async Task Put_BodyIsTooLong_GoesInChunks()
    {
        Registry.Uploads.MaxBody = 2 * 1024 * 1024;

        await PutAsync();

        AssertStored();
        Assert.All(
            Registry.Requests.Where(request => request.Method == "PATCH"),
            request => Assert.Matches(@"^\d+-\d+$", request.Header("Content-Range")));
        Assert.True(Registry.Requests.Count(request => request.Method == "PATCH") >= 3);
    }

    [Fact]
    public async Task Put_ChunksHaveALeastLength_IsKeptTo()
    {
        Registry.Uploads.MaxBody = 2 * 1024 * 1024;
        Registry.Uploads.ChunkMinLength = 1_500_000;

        await PutAsync();

        AssertStored();
        var chunks = Registry.Requests.Where(request => request.Method == "PATCH").Select(request => request.Bytes.Length).ToList();
        Assert.All(chunks.SkipLast(1), length => Assert.InRange(length, 1_500_000, 2 * 1024 * 1024));
    }

    [Fact]
    public async Task Put_RegistryLosesChunks_SendsAllAtOnceIntoANewSession()
    {
        Registry.Uploads.LosesChunks = true;
        Registry.Next(_ => null);
        Registry.Next(request =>
        {
            Registry.Serve(request with { Method = "PATCH", Target = request.Target.Split("&digest")[0], Bytes = request.Bytes[..10] });
            return FakeResponse.Text(500, "");
        });

        await PutAsync();

        AssertStored();
        Assert.Equal(2, Registry.Requests.Count(request => request.Method == "POST"));
        Assert.Equal(Size, Registry.Requests.Last(request => request.Method == "PUT").Bytes.Length);
    }

    [Fact]
    public async Task Put_RegistryCountsOtherwise_IsAskedAndBelieved()
    {
        Registry.Uploads.MaxBody = 2 * 1024 * 1024;
        var once = false;
        Registry.Intercept = request =>
        {
            if (request.Method != "PATCH" || request.Header("Content-Range")!.StartsWith("0-", StringComparison.Ordinal) || once)
            {
                return null;
            }

            // It took the half of it, and says 416 to what follows.
            once = true;
            return Registry.Serve(request with { Bytes = request.Bytes[..100_000] }) with { Status = 416 };
        };

        await PutAsync();

        AssertStored();
    }

    [Fact]
    public async Task Put_RegistryBreaksForEver_GivesUp()
    {
        Registry.Intercept = request => request.Method == "PUT" ? FakeResponse.Text(500, """{"errors":[{"code":"UNKNOWN","message":"disk"}]}""") : null;

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PutAsync());

        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
        Assert.Contains(_blob.Digest.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.InRange(Registry.Requests.Count(request => request.Method == "PUT"), 2, 6);
    }

    [Theory]
    [InlineData(401, ErrorKind.Unauthenticated)]
    [InlineData(403, ErrorKind.PermissionDenied)]
    public async Task Put_Refused_SaysSoAtOnce(int status, ErrorKind kind)
    {
        Registry.Intercept = request => request.Method == "POST" ? FakeResponse.Text(status, "") : null;

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PutAsync());

        Assert.Equal(kind, failure.Kind);
        Assert.DoesNotContain(Registry.Requests, request => request.Method == "PUT");
    }

    [Fact]
    public async Task Put_EndIsOnlyAccepted_IsNotTakenForDone()
    {
        Registry.Intercept = request => request.Method == "PUT" ? new FakeResponse { Status = 202 } : null;

        await Assert.ThrowsAsync<ImageStoreException>(() => PutAsync());
    }

    [Fact]
    public async Task Put_EmptyBlob_IsThere()
    {
        var empty = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Compute([]), Size = 0 };

        await _pair.Repository.PutBlobAsync(empty, (_, _) => Task.FromResult<Stream>(new MemoryStream()), null, Ct);

        Assert.Equal([], Registry.Find($"/v2/r/blobs/{empty.Digest}")!);
    }

    [Fact]
    public async Task Put_Sha512_IsVerifiedAsThat()
    {
        var blob = _blob with { Digest = Digest.Compute(_bytes, DigestAlgorithm.Sha512) };

        await _pair.Repository.PutBlobAsync(blob, OpenAsync, null, Ct);

        Assert.Equal(_bytes, Registry.Find($"/v2/r/blobs/{blob.Digest}"));
    }

    [Fact]
    public async Task Mount_OtherRepositoryHasIt_SendsNoBytes()
    {
        var blob = Registry.AddBlob("other", _bytes);

        Assert.True(await _pair.Repository.TryMountAsync(blob, "other", Ct));

        Assert.Equal($"POST /v2/r/blobs/uploads/?mount={Uri.EscapeDataString(blob.Digest.ToString())}&from=other", Assert.Single(_pair.Asked));
        AssertStored();
    }

    [Fact]
    public async Task Mount_RegistryOpensASessionInstead_TheUploadUsesIt()
    {
        Registry.Uploads.Mounts = false;

        Assert.False(await _pair.Repository.TryMountAsync(_blob, "other", Ct));
        await PutAsync();

        AssertStored();
        Assert.Equal(["POST", "PUT"], Registry.Requests.Select(request => request.Method));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(400)]
    public async Task Mount_Refused_IsUploaded(int status)
    {
        Registry.Next(_ => FakeResponse.Text(status, ""));

        Assert.False(await _pair.Repository.TryMountAsync(_blob, "other", Ct));
        await PutAsync();

        AssertStored();
    }

    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(405)]
    public async Task Has_RegistryDoesNotSay_MeansNo(int status)
    {
        Registry.Next(_ => FakeResponse.Text(status, ""));

        Assert.False(await _pair.Repository.HasBlobAsync(_blob, Ct));
    }

    [Fact]
    public async Task Has_OtherLength_MeansNo()
    {
        Registry.AddBlob("r", _bytes);
        Registry.Next(_ => new FakeResponse { Headers = new Dictionary<string, string> { ["Content-Length"] = "5" } });

        Assert.False(await _pair.Repository.HasBlobAsync(_blob, Ct));
        Assert.True(await _pair.Repository.HasBlobAsync(_blob, Ct));
    }

    private Task<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
        Task.FromResult<Stream>(new MemoryStream(_bytes, (int)offset, Size - (int)offset));

    private Task PutAsync() => _pair.Repository.PutBlobAsync(_blob, OpenAsync, null, Ct);

    private void AssertStored() => Assert.Equal(_bytes, Registry.Find($"/v2/r/blobs/{_blob.Digest}"));
}
