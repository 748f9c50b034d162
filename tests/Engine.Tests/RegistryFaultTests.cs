using System.Net;
using System.Net.Sockets;
using ImageStore.Engine.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests;

/// <summary>What a registry may do wrong: one clear error, nothing half-done, and a repeat that works.</summary>
public sealed class RegistryFaultTests : PullTest
{
    [Theory]
    [InlineData("UPPER/case")]
    [InlineData("a//b")]
    [InlineData("name:bad tag")]
    [InlineData("name@sha256:123")]
    [InlineData("-x/y")]
    [InlineData("")]
    public async Task Pull_MalformedReference_NamesIt(string reference)
    {
        var failure = await FailAsync(reference);

        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
        Assert.Contains(reference, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_UnknownHost_SaysThatTheNameDoesNotResolve()
    {
        var failure = await FailAsync("nowhere.invalid/app");

        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
        Assert.Contains("nowhere.invalid", failure.Message, StringComparison.Ordinal);
        Assert.Contains("resolve", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_RefusedConnection_SaysSo()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var host = listener.LocalEndpoint.ToString()!;
        listener.Stop();

        var failure = await FailAsync($"{host}/app");

        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
        Assert.Contains($"{host} cannot be reached: it refuses", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, ErrorKind.Unauthenticated)]
    [InlineData(403, ErrorKind.PermissionDenied)]
    [InlineData(404, ErrorKind.NotFound)]
    [InlineData(429, ErrorKind.TooManyRequests)]
    [InlineData(500, ErrorKind.Unavailable)]
    [InlineData(503, ErrorKind.Unavailable)]
    public async Task Pull_StatusForManifest_IsOneErrorAndARepeatWorks(int status, ErrorKind kind)
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 1000));
        Registry.Intercept = _ => FakeResponse.Text(status, "{}");

        var failure = await FailAsync();

        Assert.Equal(kind, failure.Kind);
        Assert.Contains($"HTTP {status}", failure.Message, StringComparison.Ordinal);
        Assert.Contains(ImageBuilder.Repository, failure.Message, StringComparison.Ordinal);
        Assert.InRange(Registry.Requests.Count, 1, 6);
        await RepeatAsync();
    }

    [Theory]
    [InlineData(403, ErrorKind.PermissionDenied)]
    [InlineData(404, ErrorKind.NotFound)]
    [InlineData(500, ErrorKind.Unavailable)]
    public async Task Pull_StatusForBlob_KeepsTheOthersForTheRepeat(int status, ErrorKind kind)
    {
        var (good, bad) = (ImageBuilder.Tar("good", 50_000), ImageBuilder.Tar("bad", 1000));
        Registry.AddImage("latest", good, bad);
        Fault(bad, _ => FakeResponse.Text(status, "{}"));

        var failure = await FailAsync();

        Assert.Equal(kind, failure.Kind);
        Assert.Contains(DigestOf(bad), failure.Message, StringComparison.Ordinal);
        await RepeatAsync();
    }

    [Theory]
    [InlineData("text/html", "<html>please log in</html>")]
    [InlineData("application/json", "{}")]
    [InlineData(MediaTypes.OciManifest, "not json")]
    [InlineData(MediaTypes.OciManifest, """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}""")]
    [InlineData(MediaTypes.OciManifest, """{"schemaVersion":2,"layers":[],"manifests":[],"config":{}}""")]
    [InlineData(MediaTypes.OciManifest, """{"schemaVersion":2,"layers":[]}""")]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws", """{"schemaVersion":1}""")]
    public async Task Pull_NoManifest_SaysWhatIsWrong(string mediaType, string body)
    {
        Registry.AddManifest(ImageBuilder.Repository, "latest", System.Text.Encoding.UTF8.GetBytes(body), mediaType);

        var failure = await FailAsync();

        Assert.Contains(failure.Kind, new[] { ErrorKind.CorruptData, ErrorKind.Unsupported });
    }

    [Fact]
    public async Task Pull_ManifestOverTheLimit_IsNotReadToItsEnd()
    {
        Registry.AddImage("latest", ImageBuilder.Tar("a", 1000));
        Registry.Intercept = request => new FakeResponse
        {
            Headers = new Dictionary<string, string> { ["Content-Type"] = MediaTypes.OciManifest },
            Body = new byte[100_000],
            Endless = request.Method == "GET",
        };

        Assert.Equal(ErrorKind.LimitExceeded, (await FailAsync()).Kind);
        await RepeatAsync();
    }

    [Fact]
    public async Task Pull_BlobWithOtherBytes_CommitsNothingAndNamesBothDigests()
    {
        var tar = ImageBuilder.Tar("a", 50_000);
        Registry.AddImage("latest", tar);
        var other = ImageBuilder.Gzip(tar);
        other[^20] ^= 1;
        Fault(tar, request => Registry.Serve(request) with { Body = other });

        var failure = await FailAsync();

        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Contains(DigestOf(tar), failure.Message, StringComparison.Ordinal);
        await RepeatAsync();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Pull_BlobOfOtherSize_CorruptData(int difference)
    {
        var tar = ImageBuilder.Tar("a", 50_000);
        Registry.AddImage("latest", tar);
        var bytes = ImageBuilder.Gzip(tar);
        Fault(tar, request => Registry.Serve(request) with
        {
            Body = difference < 0 ? bytes[..^1] : [.. bytes, 0],
        });

        var failure = await FailAsync();

        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
        Assert.Contains(DigestOf(tar), failure.Message, StringComparison.Ordinal);
        await RepeatAsync();
    }

    [Fact]
    public async Task Pull_ConnectionCutForGood_RepeatAsksForTheRestOnly()
    {
        var (whole, cut) = (ImageBuilder.Tar("whole", 20_000), ImageBuilder.Tar("cut", 400_000));
        Registry.AddImage("latest", whole, cut);
        Fault(cut, request => request.Header("Range") is null
            ? Registry.Serve(request) with { TruncateAt = 300_000 }
            : FakeResponse.Text(503, "{}"));
        await FailAsync();
        Registry.Intercept = null;
        Registry.Requests.Clear();

        await RepeatAsync();

        Assert.Equal(0, RequestsFor(DigestOf(whole)));
        var rest = Assert.Single(Registry.Requests, request => request.Target.EndsWith(DigestOf(cut), StringComparison.Ordinal));
        Assert.Equal("bytes=300000-", rest.Header("Range"));
    }

    [Fact]
    public async Task Pull_ConnectionCutOnce_GoesOnWithoutAnyError()
    {
        var tar = ImageBuilder.Tar("cut", 400_000);
        Registry.AddImage("latest", tar);
        Fault(tar, request => request.Header("Range") is null ? Registry.Serve(request) with { TruncateAt = 300_000 } : null);

        Assert.NotNull((await PullAsync()).ChainId);
        Assert.Equal(2, RequestsFor(DigestOf(tar)));
    }

    [Fact]
    public async Task Pull_RangeIsIgnored_StartsAgainAndEndsRight()
    {
        var tar = ImageBuilder.Tar("cut", 400_000);
        Registry.AddImage("latest", tar);
        var first = true;
        Fault(tar, request =>
        {
            var whole = new FakeResponse { Body = ImageBuilder.Gzip(tar) };
            var answer = first ? whole with { TruncateAt = 200_000 } : whole;
            first = false;
            return answer;
        });

        Assert.NotNull((await PullAsync()).ChainId);
    }

    private static string DigestOf(byte[] tar) => Digest.Compute(ImageBuilder.Gzip(tar)).ToString();

    private void Fault(byte[] tar, Func<FakeRequest, FakeResponse?> fault) =>
        Registry.Intercept = request => request.Target.EndsWith(DigestOf(tar), StringComparison.Ordinal) ? fault(request) : null;

    private async Task RepeatAsync()
    {
        Registry.Intercept = null;
        Assert.NotNull((await PullAsync()).ChainId);
        await using var engine = await OpenAsync();
        await AssertWholeAsync(engine);
        Assert.Single(engine.Images.List());
        Assert.Empty(engine.Content.ListIngests());
    }
}
