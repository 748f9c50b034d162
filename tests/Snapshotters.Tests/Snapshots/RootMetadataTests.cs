using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Interop;
using ImageStore.Store.Metadata;

namespace ImageStore.Snapshotters.Tests.Snapshots;

public sealed class RootMetadataTests : IDisposable
{
    private static readonly CancellationToken s_ct = CancellationToken.None;
    private readonly string _root = Directory.CreateTempSubdirectory("root-").FullName;

    public RootMetadataTests() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");

    public void Dispose()
    {
        foreach (var folder in SnapshotPlaces.Folders(_root))
        {
            RemovedTrees.Unmount(folder);
        }

        TreeRemover.RemoveTree(_root);
    }

    [Theory]
    [InlineData("overlayfs")]
    [InlineData("native")]
    [InlineData("erofs")]
    public async Task Prepare_OverAParent_HasItsRoot(string kind)
    {
        await using var db = await MetadataDb.OpenAsync(Path.Combine(_root, "db"), MetadataAccess.ReadWrite, s_ct);
        var snapshotter = await SnapshotterFactory.OpenAsync(kind, _root, "n", db, TimeProvider.System, s_ct);
        var made = await snapshotter.PrepareAsync("base-key", null, new Dictionary<string, string>(), s_ct);
        using (var own = OpenAt.HostDirectory(made[0].Source))
        {
            InodeChange.Own(own, 7, 8, "/");
            Xattr.Set(own, ".\0"u8, "user.v\0"u8, "1"u8, "/");
            InodeChange.Permit(own, 0x3ED, "/");
            InodeChange.Touch(own, 981173106, 5, "/");
        }

        await snapshotter.CommitAsync("base", "base-key", new Dictionary<string, string>(), s_ct);
        var mount = (await snapshotter.PrepareAsync("container", "base", new Dictionary<string, string>(), s_ct))[0];
        var upper = mount.Options.FirstOrDefault(option => option.StartsWith("upperdir=", StringComparison.Ordinal));

        using var root = OpenAt.HostDirectory(upper?["upperdir=".Length..] ?? mount.Source);
        var found = FileMetadata.TryGet(root, "\0"u8)!.Value;
        Assert.Equal((7U, 8U, 0x3EDU, 981173106L, 5U), (found.Uid, found.Gid, found.Permissions, found.Seconds, found.Nanoseconds));
        Assert.Equal("1"u8.ToArray(), Xattr.Get(root, ".\0"u8, "user.v\0"u8));
    }
}
