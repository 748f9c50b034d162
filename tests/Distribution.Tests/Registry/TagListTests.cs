using ImageStore.Distribution.Tests.Support;
using ImageStore.Store.Errors;
using ImageStore.TestKit;

namespace ImageStore.Distribution.Tests.Registry;

/// <summary>Lists of tags, page by page.</summary>
public sealed class TagListTests : IAsyncDisposable
{
    private readonly RegistryPair _pair = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _pair.DisposeAsync();

    [Fact]
    public async Task List_Link_IsFollowedAsItIs()
    {
        _pair.Registry.Next(_ => Page("""["a"]""", "</v2/r/tags/list?opaque=%2Fx%3D&n=2>; rel=\"next\""));
        _pair.Registry.Next(_ => Page("""["b"]""", $"<http://{_pair.Registry.Host}/v2/r/tags/list?more>; rel=next"));
        _pair.Registry.Next(_ => Page("""["c","a"]""", null));

        Assert.Equal(["a", "b", "c"], await _pair.Repository.ListTagsAsync(Ct));
        Assert.Equal(["GET /v2/r/tags/list", "GET /v2/r/tags/list?opaque=%2Fx%3D&n=2", "GET /v2/r/tags/list?more"], _pair.Asked);
    }

    [Theory]
    [InlineData("""{"name":"r","tags":null}""")]
    [InlineData("""{"name":"r"}""")]
    [InlineData("""{"name":"r","tags":[]}""")]
    public async Task List_NoTags_IsEmpty(string body)
    {
        _pair.Registry.Next(_ => FakeResponse.Text(200, body));

        Assert.Empty(await _pair.Repository.ListTagsAsync(Ct));
    }

    [Fact]
    public async Task List_DigestsAmongTheTags_AreLeftOut()
    {
        _pair.Registry.Next(_ => Page("""["1", "sha256:abc", ""]""", null));

        Assert.Equal(["1"], await _pair.Repository.ListTagsAsync(Ct));
    }

    [Theory]
    [InlineData("<https://elsewhere.example/v2/r/tags/list>; rel=next", ErrorKind.LimitExceeded)]
    [InlineData("</v2/r/tags/list?same>; rel=next", ErrorKind.LimitExceeded)]
    public async Task List_LinkLeadsAstray_IsRefused(string link, ErrorKind kind)
    {
        _pair.Registry.Intercept = _ => Page("""["1"]""", link);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Repository.ListTagsAsync(Ct));

        Assert.Equal(kind, failure.Kind);
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("""{"tags":[1]}""")]
    public async Task List_OtherContent_IsRefused(string body)
    {
        _pair.Registry.Next(_ => FakeResponse.Text(200, body));

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _pair.Repository.ListTagsAsync(Ct));

        Assert.Equal(ErrorKind.CorruptData, failure.Kind);
    }

    private static FakeResponse Page(string tags, string? link) => link is null
        ? FakeResponse.Text(200, $"{{\"tags\":{tags}}}")
        : FakeResponse.Text(200, $"{{\"tags\":{tags}}}", ("Link", link));
}
