using ImageStore.Gc.Tests.Support;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;
using ImageStore.Store.Resources;

namespace ImageStore.Gc.Tests;

public sealed class NamespacePurgeTests : IAsyncLifetime
{
    private CollectedRoot _root = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private NamespacePurge Purge => new(_root.Root);

    public async ValueTask InitializeAsync() => _root = await CollectedRoot.OpenAsync();

    public ValueTask DisposeAsync() => _root.DisposeAsync();

    [Fact]
    public async Task Run_TakesAllOfIt_AndLeavesOthersTheirs()
    {
        foreach (var ns in (string[])["going", "staying"])
        {
            await _root.BlobAsync("both", ns);
            await _root.BlobAsync(ns, ns, (Labels.Root, "x"));
            await _root.ImageAsync("image", "both", ns);
            await _root.Root.Leases(ns).CreateAsync("lease", null, Labels.None, Ct);
            await using var writer = await _root.Root.Content(ns).OpenWriterAsync("half", 0, DigestAlgorithm.Sha256, Ct);
            writer.Write("half"u8);
        }

        var snapshots = await SnapshotterFactory.OpenAsync("native", _root.Root.Directory, "going", _root.Root.Database, _root.Time, Ct);
        await snapshots.PrepareAsync("work", null, Labels.None, Ct);
        await snapshots.CommitAsync("chain", "work", Labels.None, Ct);

        var report = await Purge.RunAsync("going", Ct);

        Assert.Equal(2, report.Removed.Count(one => one.Kind == ResourceKind.Content));
        Assert.Equal(1, report.Removed.Count(one => one.Kind == ResourceKind.Snapshot));
        Assert.Equal(1, report.Ingests);
        Assert.Null(_root.Root.Namespaces.Find("going"));
        Assert.False(File.Exists(_root.FileOf("going")));
        Assert.True(File.Exists(_root.FileOf("both")) && _root.Has("both", "staying") && _root.Has("staying", "staying"));
        Assert.Single(_root.Root.Images("staying").List());
        Assert.Single(_root.Root.Leases("staying").List());
        Assert.Single(_root.Root.Content("staying").ListIngests());
        Assert.Empty(Directory.GetDirectories(Path.Combine(_root.Root.Directory, "snapshots", "native")));
    }

    [Fact]
    public async Task Run_WhileASnapshotIsInUse_TouchesNothing()
    {
        await _root.BlobAsync("blob");
        var snapshots = await SnapshotterFactory.OpenAsync(
            "native", _root.Root.Directory, CollectedRoot.Namespace, _root.Root.Database, _root.Time, Ct);
        await snapshots.PrepareAsync("work", null, Labels.None, Ct);

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => Purge.RunAsync(CollectedRoot.Namespace, Ct));

        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.Contains("native/work", failure.Message, StringComparison.Ordinal);
        Assert.True(_root.Has("blob"));
    }

    [Fact]
    public async Task Run_NamespaceThatIsNotThere_IsNotFound() => Assert.Equal(
        ErrorKind.NotFound, (await Assert.ThrowsAsync<ImageStoreException>(() => Purge.RunAsync("absent", Ct))).Kind);
}
