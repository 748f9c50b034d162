using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Snapshotters.Tests.Snapshots;

public sealed class SnapshotRecoveryTests : IDisposable
{
    private static readonly Dictionary<string, string> s_none = [];
    private static readonly CancellationToken s_ct = CancellationToken.None;
    private readonly string _root = Directory.CreateTempSubdirectory("recovery-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Open_MachineWentDownBeforeSync_QuarantinesWhatStandsOnIt()
    {
        SkipWithoutRoot();
        await using var db = await MetadataDb.OpenAsync(Path.Combine(_root, "db"), MetadataAccess.ReadWrite, s_ct);
        var snapshotter = await OpenAsync(db);
        await CommitAsync(snapshotter, "durable", null);
        await snapshotter.MarkSyncedAsync(TimeSpan.Zero, s_ct);
        await CommitAsync(snapshotter, "lost", "durable");
        await CommitAsync(snapshotter, "child", "lost");
        await snapshotter.PrepareAsync("container", "child", s_none, s_ct);
        var catalogue = new SnapshotCatalogue(db, "n", "native", TimeProvider.System);
        await catalogue.CommitAsync(
            rows => rows.List().ToList().ForEach(pair => rows.Put(pair.Key, pair.Value with { BootId = "earlier" })),
            s_ct);
        Assert.Null(await snapshotter.StatAsync("child", s_ct));

        snapshotter = await OpenAsync(db);

        Assert.Equal(["durable"], (await snapshotter.WalkAsync(s_ct)).Select(info => info.Name));
        Assert.Equal(["container", "durable"], catalogue.List().Select(pair => pair.Key));
        await Assert.ThrowsAsync<ImageStoreException>(() => snapshotter.MountsAsync("container", s_ct));
        await CommitAsync(snapshotter, "lost", "durable");
        await CommitAsync(snapshotter, "child", "lost");
        Assert.NotEmpty(await snapshotter.MountsAsync("container", s_ct));
    }

    [Fact]
    public async Task Open_UnknownNameOrNamespace_IsInvalidArgument()
    {
        await using var db = await MetadataDb.OpenAsync(Path.Combine(_root, "db"), MetadataAccess.ReadWrite, s_ct);

        foreach (var (name, ns) in new[] { ("zfs", "n"), ("native", "a/b") })
        {
            var error = await Assert.ThrowsAsync<ImageStoreException>(
                () => SnapshotterFactory.OpenAsync(name, _root, ns, db, TimeProvider.System, s_ct));
            Assert.Equal(ErrorKind.InvalidArgument, error.Kind);
        }
    }

    [Fact]
    public async Task Open_OverlayWhereItCannotWork_SaysWhyAndAutomaticIsNative()
    {
        SkipWithoutRoot();
        var root = Path.Combine(_root, "with:colon");
        await using var db = await MetadataDb.OpenAsync(Path.Combine(_root, "db"), MetadataAccess.ReadWrite, s_ct);

        var error = await Assert.ThrowsAsync<ImageStoreException>(
            () => SnapshotterFactory.OpenAsync("overlayfs", root, "n", db, TimeProvider.System, s_ct));

        Assert.Equal(ErrorKind.Unsupported, error.Kind);
        Assert.Contains("colon", error.Message, StringComparison.Ordinal);
        var automatic = await SnapshotterFactory.OpenAsync(null, root, "n", db, TimeProvider.System, s_ct);
        Assert.Equal("native", automatic.Name);
    }

    private static void SkipWithoutRoot()
    {
        if (Environment.UserName != "root")
        {
            Assert.Skip("Snapshots need root.");
        }
    }

    private static async Task CommitAsync(ISnapshotter snapshotter, string name, string? parent)
    {
        await snapshotter.PrepareAsync("key", parent, s_none, s_ct);
        await snapshotter.CommitAsync(name, "key", s_none, s_ct);
    }

    private Task<ISnapshotter> OpenAsync(MetadataDb db) =>
        SnapshotterFactory.OpenAsync("native", _root, "n", db, TimeProvider.System, s_ct);
}
