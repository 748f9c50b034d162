using ImageStore.Engine;
using ImageStore.Store;
using ImageStore.Store.Images;

namespace ImageStore.StoreBench;

/// <summary>Our store, in this process.</summary>
internal sealed class Ours : IPeer
{
    private readonly StoreEngine _engine;
    private readonly ImageRecord _image;

    private Ours(StoreEngine engine, string image) => (_engine, _image) = (engine, engine.FindImage(image));

    public static async Task<Ours> OpenAsync(string root, string ns, string image) =>
        new(await StoreEngine.OpenAsync(new EngineOptions { Root = root, Namespace = ns }, CancellationToken.None), image);

    public Task LeaseAsync(string id) => _engine.Leases.CreateAsync(id, TimeSpan.FromHours(1), Labels.None, CancellationToken.None);

    public Task UnleaseAsync(string id) => _engine.Leases.DeleteAsync(id, CancellationToken.None);

    public Task NameAsync(string name) => _engine.Naming.TagAsync(_image.Name, name, CancellationToken.None);

    // Reads every table, which a daemon has done long before.
    public Task PrepareCollectionAsync() => _engine.PlanCollectionAsync(CancellationToken.None);

    // The name goes within the measure, as containerd has it.
    public async Task CollectAsync()
    {
        await _engine.Images.RemoveAsync(_image.Name, CancellationToken.None);
        await _engine.CollectAsync(CancellationToken.None);
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}
