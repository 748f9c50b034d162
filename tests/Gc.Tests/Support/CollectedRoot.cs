using System.Text;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Oci;
using ImageStore.TestKit;

namespace ImageStore.Gc.Tests.Support;

/// <summary>A root with its collector and a clock that stands still.</summary>
internal sealed class CollectedRoot : IAsyncDisposable
{
    public const string Namespace = "default";

    private readonly DirectoryInfo _work;

    private CollectedRoot(DirectoryInfo work, StoreRoot root, SettableClock time)
    {
        (_work, Root, Time) = (work, root, time);
        Collector = new Collector(root, time);
    }

    public StoreRoot Root { get; }

    public SettableClock Time { get; }

    public Collector Collector { get; }

    public IContentStore Content => Root.Content(Namespace);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<CollectedRoot> OpenAsync()
    {
        // Thousands of small commits are made here, and how they get to a disk is shown elsewhere.
        var memory = "/dev/shm";
        var work = Directory.Exists(memory)
            ? Directory.CreateDirectory(Path.Combine(memory, $"imagestore-gc-{Guid.NewGuid():N}"))
            : Directory.CreateTempSubdirectory("imagestore-gc-");
        var time = new SettableClock(DateTimeOffset.UnixEpoch.AddYears(56));
        var root = await StoreRoot.OpenAsync(
            Path.Combine(work.FullName, "root"),
            new StoreOptions { OtherResources = directory => [SnapshotterFactory.Resources(directory, RemovalBudget.Unlimited)], Time = time },
            Ct);
        await root.Namespaces.EnsureAsync(Namespace, Ct);
        return new CollectedRoot(work, root, time);
    }

    public static Digest DigestOf(string text) => Digest.Compute(Encoding.UTF8.GetBytes(text));

    public static Descriptor Describe(string text) => new()
    {
        MediaType = MediaTypes.OctetStream, Digest = DigestOf(text), Size = Encoding.UTF8.GetByteCount(text),
    };

    /// <summary>Commits a blob that holds <paramref name="text"/>.</summary>
    public async Task<Digest> BlobAsync(string text, string ns = Namespace, params (string Key, string Value)[] labels)
    {
        await Root.Content(ns).PutAsync(
            $"blob-{text}", Describe(text), Encoding.UTF8.GetBytes(text), labels.ToDictionary(label => label.Key, label => label.Value), null, Ct);
        return DigestOf(text);
    }

    public Task ImageAsync(string name, string target, string ns = Namespace, params (string Key, string Value)[] labels) =>
        Root.Images(ns).PutAsync(name, Describe(target), labels.ToDictionary(label => label.Key, label => label.Value), Ct);

    public Task LabelAsync(string blob, string key, string value) =>
        Content.UpdateLabelsAsync(DigestOf(blob), new Dictionary<string, string> { [key] = value }, Ct);

    public bool Has(string text, string ns = Namespace) => Root.Content(ns).Find(DigestOf(text)) is not null;

    public string FileOf(string text) => Path.Combine(Root.Directory, "content", "blobs", "sha256", DigestOf(text).Hex);

    public async ValueTask DisposeAsync()
    {
        Collector.Dispose();
        await Root.DisposeAsync();
        _work.Delete(recursive: true);
    }
}
