using ImageStore.Conformance;
using ImageStore.Store.Content;

namespace ImageStore.Store.Tests.Content;

public sealed class LocalContentStoreTests : ContentStoreSuite
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imagestore-content-");
    private StoreRoot _root = null!;

    protected override IContentStore Other => _root.Content("other");

    public override async ValueTask DisposeAsync()
    {
        await _root.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    protected override async Task<IContentStore> OpenAsync()
    {
        _root = await StoreRoot.OpenAsync(_directory.FullName, new StoreOptions(), default);
        await _root.Namespaces.EnsureAsync("default", default);
        await _root.Namespaces.EnsureAsync("other", default);
        return _root.Content("default");
    }

    protected override async Task<IContentStore> ReopenAsync()
    {
        await _root.DisposeAsync();
        return await OpenAsync();
    }
}
