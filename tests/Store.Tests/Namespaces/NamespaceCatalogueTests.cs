using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Namespaces;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Tests.Namespaces;

public sealed class NamespaceCatalogueTests : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imagestore-namespaces-");
    private StoreRoot _root = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _root = await StoreRoot.OpenAsync(_directory.FullName, new StoreOptions(), Ct);

    public async ValueTask DisposeAsync()
    {
        await _root.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Create_Again_IsAlreadyExists_AndKeepsTheFirst()
    {
        await _root.Namespaces.CreateAsync("team-a", new Dictionary<string, string> { ["owner"] = "a" }, Ct);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _root.Namespaces.CreateAsync("team-a", Labels.None, Ct));

        Assert.Equal(ErrorKind.AlreadyExists, failure.Kind);
        Assert.Equal("a", _root.Namespaces.Find("team-a")!.Labels["owner"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("../../etc")]
    [InlineData("a\nb")]
    [InlineData("a b")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("ü")]
    public async Task Create_NameThatIsNone_IsInvalidArgument(string name)
    {
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _root.Namespaces.CreateAsync(name, Labels.None, Ct));

        Assert.Equal(ErrorKind.InvalidArgument, failure.Kind);
        Assert.Empty(_root.Namespaces.List());
    }

    [Fact]
    public async Task Create_NameAtTheLimit_IsTaken_AndAboveIsNot()
    {
        await _root.Namespaces.CreateAsync(new string('a', NamespaceName.MaxLength), Labels.None, Ct);

        await Assert.ThrowsAsync<ImageStoreException>(
            () => _root.Namespaces.CreateAsync(new string('a', NamespaceName.MaxLength + 1), Labels.None, Ct));
    }

    [Fact]
    public async Task SetLabels_EmptyValue_RemovesTheLabel()
    {
        await _root.Namespaces.CreateAsync("a", new Dictionary<string, string> { ["x"] = "1", ["y"] = "2" }, Ct);

        var record = await _root.Namespaces.SetLabelsAsync("a", new Dictionary<string, string> { ["x"] = "", ["z"] = "3" }, Ct);

        Assert.Equal(["y", "z"], record.Labels.Keys.Order());
    }

    [Theory]
    [InlineData(4096 - 1, true)]
    [InlineData(4096, false)]
    public async Task SetLabels_AtTheLimit(int valueBytes, bool allowed)
    {
        await _root.Namespaces.CreateAsync("a", Labels.None, Ct);
        var change = _root.Namespaces.SetLabelsAsync("a", new Dictionary<string, string> { ["k"] = new('v', valueBytes) }, Ct);

        if (allowed)
        {
            await change;
            return;
        }

        Assert.Equal(ErrorKind.InvalidArgument, (await Assert.ThrowsAsync<ImageStoreException>(() => change)).Kind);
    }

    [Fact]
    public async Task SetQuota_Reopened_IsStillThere_AndNoneRemovesIt()
    {
        await _root.Namespaces.CreateAsync("a", Labels.None, Ct);
        await _root.Namespaces.SetQuotaAsync("a", new NamespaceQuota(1000, 3), Ct);
        await _root.DisposeAsync();
        _root = await StoreRoot.OpenAsync(_directory.FullName, new StoreOptions(), Ct);

        Assert.Equal(new NamespaceQuota(1000, 3), _root.Namespaces.Find("a")!.Quota);
        Assert.Equal(NamespaceQuota.None, (await _root.Namespaces.SetQuotaAsync("a", NamespaceQuota.None, Ct)).Quota);
        await Assert.ThrowsAsync<ImageStoreException>(() => _root.Namespaces.SetQuotaAsync("a", new NamespaceQuota(-1, null), Ct));
    }

    [Fact]
    public async Task Remove_WhileSomethingIsLeft_SaysWhat()
    {
        await _root.Namespaces.CreateAsync("a", Labels.None, Ct);
        var blob = new Descriptor { MediaType = MediaTypes.OctetStream, Digest = Digest.Compute("x"u8), Size = 1 };
        await _root.Content("a").PutAsync("x", blob, "x"u8.ToArray(), Labels.None, null, Ct);
        await _root.Images("a").PutAsync("one", blob, Labels.None, Ct);
        await _root.Images("a").PutAsync("two", blob, Labels.None, Ct);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _root.Namespaces.RemoveAsync("a", Ct));

        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.Contains("2 images, 1 blob", failure.Message, StringComparison.Ordinal);
        Assert.NotNull(_root.Namespaces.Find("a"));
    }

    [Fact]
    public async Task Remove_Empty_IsGone_AndAgainIsNotFound()
    {
        await _root.Namespaces.CreateAsync("a", Labels.None, Ct);
        await _root.Namespaces.RemoveAsync("a", Ct);

        Assert.Empty(_root.Namespaces.List());
        Assert.Equal(
            ErrorKind.NotFound, (await Assert.ThrowsAsync<ImageStoreException>(() => _root.Namespaces.RemoveAsync("a", Ct))).Kind);
    }
}
