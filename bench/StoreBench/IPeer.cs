namespace ImageStore.StoreBench;

/// <summary>A store that is measured. Every change is durable when its task ends.</summary>
internal interface IPeer : IAsyncDisposable
{
    Task LeaseAsync(string id);

    Task UnleaseAsync(string id);

    /// <summary>Gives the image a further name.</summary>
    Task NameAsync(string name);

    /// <summary>What precedes a collection and is not measured.</summary>
    Task PrepareCollectionAsync();

    Task CollectAsync();
}
