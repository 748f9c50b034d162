using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Tests.Registry;

/// <summary>Servers that break HTTP itself, or never end: each is cut off, with one error that names it.</summary>
public sealed class HostileServerTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Type: " + MediaTypes.OciManifest + "\r\n";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("nothing", "", ErrorKind.Unavailable)]
    [InlineData("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", ErrorKind.Unavailable)]
    [InlineData("half a status line", "HTTP/1.1 2", ErrorKind.Unavailable)]
    [InlineData("two lengths", Ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", ErrorKind.CorruptData)]
    [InlineData("a length that is none", Ok + "Content-Length: -1\r\n\r\n{}", ErrorKind.CorruptData)]
    [InlineData("a length beyond all", Ok + "Content-Length: 99999999999999999999\r\n\r\n{}", ErrorKind.CorruptData)]
    [InlineData("fewer bytes than its length", Ok + "Content-Length: 50\r\n\r\n{}", ErrorKind.Unavailable)]
    [InlineData("more bytes than allowed", Ok + "Content-Length: 5000000\r\n\r\n{}", ErrorKind.LimitExceeded)]
    [InlineData("chunks that are none", Ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", ErrorKind.Unavailable)]
    [InlineData("chunks without an end", Ok + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", ErrorKind.Unavailable)]
    [InlineData("a web page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", ErrorKind.CorruptData)]
    [InlineData("two documents", Ok + "Content-Length: 4\r\n\r\n{}{}", ErrorKind.CorruptData)]
    [InlineData("a redirect to nowhere", "HTTP/1.1 307 x\r\nContent-Length: 0\r\n\r\n", ErrorKind.PermissionDenied)]
    [InlineData("a redirect that is no address", "HTTP/1.1 307 x\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n", ErrorKind.PermissionDenied)]
    [InlineData("401 with a broken challenge", "HTTP/1.1 401 x\r\nWWW-Authenticate: Bearer realm=\"\r\nContent-Length: 0\r\n\r\n", ErrorKind.Unauthenticated)]
    public async Task Manifest_AnswerBreaksTheRules_IsOneError(string what, string answer, ErrorKind kind)
    {
        await using var server = new RawServer(RawServer.Text(answer));

        var failure = await FailAsync(server, repository => repository.FetchManifestAsync(Digest.Compute("x"u8).ToString(), Ct));

        Assert.True(kind == failure.Kind, $"{what}: {failure.Kind}, {failure.Message}");
        Assert.DoesNotContain("\r", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("headers", "HTTP/1.1 200 OK\r\n", "x-filler: 0123456789012345678901234567890123456789\r\n", 0)]
    [InlineData("one header", "HTTP/1.1 200 OK\r\nx: ", "0123456789012345678901234567890123456789", 0)]
    [InlineData("body", Ok + "\r\n", "0123456789012345678901234567890123456789", 0)]
    [InlineData("chunk extensions", Ok + "Transfer-Encoding: chunked\r\n\r\n1", ";0123456789012345678901234567890123456789", 0)]
    [InlineData("informational answers", "", "HTTP/1.1 103 Early Hints\r\n\r\n", 0)]
    [InlineData("dripping headers", "HTTP/1.1 200 OK\r\nx: ", "0", 20)]
    [InlineData("dripping body", Ok + "\r\n", "0", 20)]
    [InlineData("dripping error", "HTTP/1.1 403 x\r\n\r\n", "0", 20)]
    public async Task Manifest_AnswerHasNoEnd_IsCutOff(string what, string start, string more, int pauseMs)
    {
        await using var server = new RawServer(RawServer.Endless(start, more, TimeSpan.FromMilliseconds(pauseMs)));

        var failure = await FailAsync(server, repository => repository.FetchManifestAsync("t", Ct));

        Assert.True(
            failure.Kind is ErrorKind.Unavailable or ErrorKind.LimitExceeded or ErrorKind.PermissionDenied, $"{what}: {failure.Kind}, {failure.Message}");
    }

    [Fact]
    public async Task Blob_Drips_IsGivenUp()
    {
        await using var server = new RawServer(RawServer.Endless("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "0", TimeSpan.FromMilliseconds(20)));
        var blob = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Compute("x"u8), Size = 1_000_000 };

        var failure = await FailAsync(server, async repository =>
        {
            await using var stream = await repository.OpenBlobAsync(blob, 0, Ct);
            await stream.CopyToAsync(Stream.Null, Ct);
        });

        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
        Assert.Contains("broke", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"token":"a\r\nX-Evil: 1"}""")]
    [InlineData("""{"token":""}""")]
    [InlineData("""{"token":5}""")]
    [InlineData("[]")]
    [InlineData("<html>")]
    [InlineData("")]
    public async Task Token_IsNone_IsRefused(string body)
    {
        await using var pair = new RegistryPair();
        pair.Registry.Intercept = request => request.Target.StartsWith("/token", StringComparison.Ordinal)
            ? TestKit.FakeResponse.Text(200, body)
            : TestKit.FakeResponse.Text(401, "", ("WWW-Authenticate", $"Bearer realm=\"http://{pair.Registry.Host}/token\""));

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => pair.Repository.FetchManifestAsync("t", Ct));

        Assert.Equal(ErrorKind.Unauthenticated, failure.Kind);
        Assert.DoesNotContain(pair.Registry.Requests, request => request.Header("X-Evil") is not null);
    }

    private static async Task<ImageStoreException> FailAsync(RawServer server, Func<RepositoryClient, Task> act)
    {
        await using var client = new RegistryClient(new RegistryOptions
        {
            DockerConfigDirectory = "/nowhere",
            HostsDirectories = [],
            MaxRetries = 1,
            RetryDelay = TimeSpan.FromMilliseconds(1),
            ResponseTimeout = TimeSpan.FromMilliseconds(700),
            IdleTimeout = TimeSpan.FromMilliseconds(500),
            RateWindow = TimeSpan.FromMilliseconds(500),
        });
        using var repository = client.Repository(ImageReference.Parse($"{server.Host}/r"));
        return await Assert.ThrowsAsync<ImageStoreException>(() => act(repository).WaitAsync(s_patience, Ct));
    }
}
