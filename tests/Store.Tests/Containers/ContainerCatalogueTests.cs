using ImageStore.Store.Containers;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;
using ImageStore.Store.Tests.Metadata;

namespace ImageStore.Store.Tests.Containers;

public sealed class ContainerCatalogueTests : IAsyncLifetime
{
    private readonly CrashDisk _disk = new(new Dictionary<string, byte[]>());
    private MetadataDb _db = null!;
    private ContainerCatalogue _containers = null!;

    public async ValueTask InitializeAsync()
    {
        _db = await OpenAsync();
        _containers = new ContainerCatalogue(_db, "ns", TimeProvider.System);
    }

    public ValueTask DisposeAsync() => _db.DisposeAsync();

    [Fact]
    public async Task Find_AfterReopening_HasEverything()
    {
        var made = await _containers.CreateAsync(Container("c"), default);
        await _db.DisposeAsync();
        _db = await OpenAsync();
        var found = new ContainerCatalogue(_db, "ns", TimeProvider.System).Find("c")!;
        Assert.Equal(
            ("image", "runtime", "overlayfs", "key", "sandbox", made.CreatedAt),
            (found.Image, found.Runtime, found.Snapshotter, found.SnapshotKey, found.Sandbox, found.CreatedAt));
        Assert.Equal(["spec", "options", "extension"], [found.Spec!.Type, found.RuntimeOptions!.Type, found.Extensions["e"].Type]);
        Assert.Equal([1, 2, 3], found.Spec.Value);
        Assert.Equal("1", found.Labels["l"]);
        Assert.Null(new ContainerCatalogue(_db, "other", TimeProvider.System).Find("c"));
    }

    [Fact]
    public async Task CreateAsync_OfAnIdThatIsTaken_IsRefused()
    {
        await _containers.CreateAsync(Container("c"), default);
        await FailsAsync(ErrorKind.AlreadyExists, _containers.CreateAsync(Container("c"), default));
    }

    [Fact]
    public async Task CreateAsync_Malformed_IsRefused()
    {
        await FailsAsync(ErrorKind.InvalidArgument, () => _containers.CreateAsync(Container("a/b"), default));
        await FailsAsync(ErrorKind.InvalidArgument, _containers.CreateAsync(Container("c") with { Runtime = string.Empty }, default));
        await FailsAsync(ErrorKind.InvalidArgument, _containers.CreateAsync(Container("c") with { Snapshotter = string.Empty }, default));
        await FailsAsync(
            ErrorKind.InvalidArgument,
            _containers.CreateAsync(Container("c") with { Labels = new Dictionary<string, string> { ["k"] = new('v', Labels.MaxBytes) } }, default));
        Assert.Empty(_containers.List());
    }

    [Fact]
    public async Task UpdateAsync_ChangesWhatItIsToldAndNeverIdOrAge()
    {
        var made = await _containers.CreateAsync(Container("c"), default);
        var updated = await _containers.UpdateAsync("c", before => before with { Id = "x", Image = "other", CreatedAt = default }, default);
        Assert.Equal(("c", "other", made.CreatedAt), (updated.Id, updated.Image, updated.CreatedAt));
        await FailsAsync(ErrorKind.NotFound, _containers.UpdateAsync("x", before => before, default));
    }

    [Fact]
    public async Task RemoveAsync_OfOneThatIsGone_IsNotFound()
    {
        await _containers.CreateAsync(Container("c"), default);
        await _containers.RemoveAsync("c", default);
        await FailsAsync(ErrorKind.NotFound, _containers.RemoveAsync("c", default));
    }

    private Task<MetadataDb> OpenAsync() =>
        MetadataDb.OpenAsync(_disk, MetadataAccess.ReadWrite, LiteFile.CheckpointBytes, TimeSpan.Zero, default);

    private static Task FailsAsync(ErrorKind kind, Task work) => FailsAsync(kind, () => work);

    private static async Task FailsAsync(ErrorKind kind, Func<Task> work) =>
        Assert.Equal(kind, (await Assert.ThrowsAsync<ImageStoreException>(work)).Kind);

    private static ContainerRecord Container(string id) => new()
    {
        Id = id,
        Labels = new Dictionary<string, string> { ["l"] = "1" },
        Image = "image",
        Runtime = "runtime",
        RuntimeOptions = new TypedBytes("options", []),
        Spec = new TypedBytes("spec", [1, 2, 3]),
        Snapshotter = "overlayfs",
        SnapshotKey = "key",
        Extensions = new Dictionary<string, TypedBytes> { ["e"] = new("extension", []) },
        Sandbox = "sandbox",
    };
}
