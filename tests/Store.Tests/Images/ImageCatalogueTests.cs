using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Metadata;
using ImageStore.Store.Tests.Metadata;

namespace ImageStore.Store.Tests.Images;

public sealed class ImageCatalogueTests : IAsyncLifetime
{
    private const string Name = "docker.io/library/alpine:latest";

    private readonly CrashDisk _disk = new(new Dictionary<string, byte[]>());
    private MetadataDb _db = null!;
    private ImageCatalogue _images = null!;

    public async ValueTask InitializeAsync()
    {
        _db = await MetadataDb.OpenAsync(_disk, MetadataAccess.ReadWrite, LiteFile.CheckpointBytes, TimeSpan.Zero, default);
        _images = Of("default");
    }

    public ValueTask DisposeAsync() => _db.DisposeAsync();

    [Fact]
    public async Task PutAsync_OfANameThatIsThere_MovesItAndMergesLabels()
    {
        var first = await _images.PutAsync(Name, Workload.Target("1"), Of(("a", "1"), ("b", "1")), default);
        var second = await _images.PutAsync(Name, Workload.Target("2"), Of(("a", string.Empty), ("c", "2")), default);

        Assert.Equal(first.CreatedAt, second.CreatedAt);
        var found = _images.Find(Name)!;
        Assert.Equal(Workload.Target("2").Digest, found.Target.Digest);
        Assert.Equal([("b", "1"), ("c", "2")], found.Labels.Select(label => (label.Key, label.Value)).Order());
        Assert.Single(_images.List());
    }

    [Fact]
    public async Task CreateAsync_OfANameThatIsThere_IsRefused()
    {
        await _images.CreateAsync(Name, Workload.Target("1"), Labels.None, null, default);
        var told = await Assert.ThrowsAsync<ImageStoreException>(() => _images.CreateAsync(Name, Workload.Target("2"), Labels.None, null, default));
        Assert.Equal(ErrorKind.AlreadyExists, told.Kind);
        Assert.Equal(Workload.Target("1").Digest, _images.Find(Name)!.Target.Digest);
    }

    [Fact]
    public async Task RemoveAsync_OfANameThatStandsForSomethingElse_IsNotFound()
    {
        await _images.CreateAsync(Name, Workload.Target("1"), Labels.None, null, default);
        var told = await Assert.ThrowsAsync<ImageStoreException>(() => _images.RemoveAsync(Name, Workload.Target("2").Digest, default));
        Assert.Equal(ErrorKind.NotFound, told.Kind);
        await _images.RemoveAsync(Name, Workload.Target("1").Digest, default);
        Assert.Null(_images.Find(Name));
    }

    [Fact]
    public async Task UpdateAsync_ReplacesLabelsAndTarget()
    {
        var made = await _images.CreateAsync(Name, Workload.Target("1"), Of(("a", "1"), ("b", "1")), null, default);
        var updated = await _images.UpdateAsync(
            Name, before => before with { Target = Workload.Target("2"), Labels = Of(("b", "2")) }, null, default);
        Assert.Equal((Workload.Target("2").Digest, made.CreatedAt), (updated.Target.Digest, updated.CreatedAt));
        Assert.Equal(("b", "2"), (Assert.Single(updated.Labels).Key, updated.Labels["b"]));
    }

    [Fact]
    public async Task Find_AfterReopening_HasEverything()
    {
        await _images.PutAsync(Name, Workload.Target("1"), Of(("k", "ü\u2028\"")), default);
        var before = _images.Find(Name)!;
        await _db.DisposeAsync();
        await InitializeAsync();

        var found = _images.Find(Name)!;
        Assert.Equal(before with { Target = found.Target, Labels = found.Labels }, found);
        Assert.Equal(before.Target.Digest, found.Target.Digest);
        Assert.Equal("ü\u2028\"", found.Labels["k"]);
    }

    [Fact]
    public async Task RemoveAsync_OfAnUnknownName_IsNotFound()
    {
        var told = await Assert.ThrowsAsync<ImageStoreException>(() => _images.RemoveAsync("no\u001bne", default));

        Assert.Equal(ErrorKind.NotFound, told.Kind);
        Assert.DoesNotContain('\u001b', told.Message);
        Assert.Null(_images.Find("none"));
        Assert.Null(_images.Find(string.Empty));
    }

    [Fact]
    public async Task Images_OfTwoNamespaces_AreApart()
    {
        var other = Of("default.2");
        await _images.PutAsync(Name, Workload.Target("1"), Labels.None, default);

        Assert.Null(other.Find(Name));
        Assert.Empty(other.List());
        await other.PutAsync(Name, Workload.Target("2"), Labels.None, default);
        await _images.RemoveAsync(Name, default);
        Assert.Equal(Workload.Target("2").Digest, other.Find(Name)!.Target.Digest);
        Assert.Empty(_images.List());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\nb")]
    public async Task PutAsync_OfAMalformedName_IsRefused(string name)
    {
        var told = await Assert.ThrowsAsync<ImageStoreException>(
            () => _images.PutAsync(name, Workload.Target("1"), Labels.None, default));
        Assert.Equal(ErrorKind.InvalidArgument, told.Kind);
    }

    [Fact]
    public async Task PutAsync_OfANameThatIsNotUnicode_IsRefused()
    {
        // Two lone surrogates would be one name on disk.
        var told = await Assert.ThrowsAsync<ImageStoreException>(
            () => _images.PutAsync("a\ud800", Workload.Target("1"), Labels.None, default));
        Assert.Equal(ErrorKind.InvalidArgument, told.Kind);
    }

    [Theory]
    [InlineData(MetadataDb.MaxKeyBytes - 8, true)]
    [InlineData(MetadataDb.MaxKeyBytes - 7, false)]
    public async Task PutAsync_OfALongName_TakesWhatLiteDbTakes(int length, bool taken)
    {
        var name = new string('n', length);
        if (taken)
        {
            await _images.PutAsync(name, Workload.Target("1"), Labels.None, default);
            await _db.DisposeAsync();
            await InitializeAsync();
            Assert.NotNull(_images.Find(name));
            return;
        }

        var told = await Assert.ThrowsAsync<ImageStoreException>(
            () => _images.PutAsync(name, Workload.Target("1"), Labels.None, default));
        Assert.Equal(ErrorKind.InvalidArgument, told.Kind);
    }

    [Theory]
    [InlineData("k", Labels.MaxBytes - 1, true)]
    [InlineData("k", Labels.MaxBytes, false)]
    [InlineData("", 1, false)]
    [InlineData("a\u0007", 1, false)]
    public async Task PutAsync_OfLabels_KeepsTheirLimits(string key, int length, bool taken)
    {
        var put = () => _images.PutAsync(Name, Workload.Target("1"), Of((key, new string('v', length))), default);
        if (taken)
        {
            Assert.Equal(length, (await put()).Labels[key].Length);
            return;
        }

        Assert.Equal(ErrorKind.InvalidArgument, (await Assert.ThrowsAsync<ImageStoreException>(put)).Kind);
        Assert.Null(_images.Find(Name));
    }

    [Fact]
    public async Task PutAsync_OfMoreLabelsThanARowTakes_FailsAloneAmongThoseCommittedWithIt()
    {
        var many = Enumerable.Range(0, 3000).ToDictionary(i => $"k{i}", _ => new string('v', 4000));
        var good = Enumerable.Range(0, 5).Select(i => _images.PutAsync($"n{i}", Workload.Target("1"), Labels.None, default)).ToList();
        var bad = _images.PutAsync(Name, Workload.Target("1"), many, default);
        await Task.WhenAll(good);

        Assert.Equal(ErrorKind.LimitExceeded, (await Assert.ThrowsAsync<ImageStoreException>(() => bad)).Kind);
        Assert.Equal(5, _images.List().Count);
    }

    private static Dictionary<string, string> Of(params (string Key, string Value)[] labels) =>
        labels.ToDictionary(label => label.Key, label => label.Value);

    private ImageCatalogue Of(string ns) => new(_db, ns, TimeProvider.System);
}
