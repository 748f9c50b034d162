using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Engine.Configuration;
using ImageStore.Engine.Pull;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using System.Security.Cryptography;

namespace ImageStore.Engine.Tests.Support;

/// <summary>A registry, an empty root, and what must hold after every pull whatever happened.</summary>
public abstract class PullTest : IAsyncLifetime
{
    private readonly string _work = Directory.CreateTempSubdirectory("engine-").FullName;

    protected PullTest() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "unpacking needs root");

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected FakeRegistry Registry { get; } = new();

    protected string Root => In("root");

    /// <summary>The image under a tag of the usual repository.</summary>
    protected string Reference(string tag = "latest") => $"{Registry.Host}/{ImageBuilder.Repository}:{tag}";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        TreeRemover.RemoveTree(_work);
    }

    protected string In(string name) => Path.Combine(_work, name);

    /// <summary>Opens the root with retries that do not make a test wait.</summary>
    protected Task<StoreEngine> OpenAsync(
        string? root = null, string ns = "default", ContentSharing sharing = ContentSharing.Proof) =>
        StoreEngine.OpenAsync(Options() with { Root = root ?? Root, Namespace = ns, Settings = new Settings { Sharing = sharing } }, Ct);

    protected EngineOptions Options() => new()
    {
        Root = Root,
        Registry = new RegistryOptions
        {
            DockerConfigDirectory = In("docker"),
            RetryDelay = TimeSpan.FromMilliseconds(1),
            MaxRetryDelay = TimeSpan.FromMilliseconds(5),
            IdleTimeout = TimeSpan.FromMilliseconds(500),
            ConnectTimeout = TimeSpan.FromSeconds(5),
        },
    };

    protected static Task<PullResult> PullAsync(StoreEngine engine, string reference) =>
        engine.PullAsync(new PullRequest { Reference = reference }, new TransferProgress(), Ct);

    protected async Task<PullResult> PullAsync(string? reference = null)
    {
        await using var engine = await OpenAsync();
        return await PullAsync(engine, reference ?? Reference());
    }

    /// <summary>Pulls, and returns the failure after looking that nothing wrong or half-done is left.</summary>
    protected async Task<ImageStoreException> FailAsync(string? reference = null)
    {
        await using var engine = await OpenAsync();
        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => PullAsync(engine, reference ?? Reference()));
        Assert.NotEqual(ErrorKind.Internal, failure.Kind);
        Assert.False(string.IsNullOrWhiteSpace(failure.Remedy), $"'{failure.Message}' says not what to do");
        Assert.Empty(engine.Images.List());
        await AssertWholeAsync(engine);
        return failure;
    }

    /// <summary>Every blob is what its name says, and no layer is half unpacked.</summary>
    protected static async Task AssertWholeAsync(StoreEngine engine)
    {
        foreach (var blob in engine.Content.List())
        {
            var bytes = await File.ReadAllBytesAsync(Path.Combine(engine.Root, "content/blobs/sha256", blob.Digest.Hex), Ct);
            Assert.Equal(blob.Digest.Hex, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }

        Assert.All(await Snapshots(engine), snapshot => Assert.Equal(SnapshotKind.Committed, snapshot.Kind));
    }

    protected static async Task<IReadOnlyList<SnapshotInfo>> Snapshots(StoreEngine engine) =>
        await (await engine.SnapshotterAsync(null, Ct)).WalkAsync(Ct);

    protected int RequestsFor(string part) =>
        Registry.Requests.Count(request => request.Target.Contains(part, StringComparison.Ordinal));
}
