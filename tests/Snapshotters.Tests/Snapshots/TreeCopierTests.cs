using ImageStore.Snapshotters.Mounts;
using ImageStore.Snapshotters.Trees;
using ImageStore.Store.Interop;

namespace ImageStore.Snapshotters.Tests.Snapshots;

public sealed class TreeCopierTests : IDisposable
{
    private const uint SetUserId = 0x9ED;
    private readonly string _root = Directory.CreateTempSubdirectory("copier-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Copy_Tree_KeepsWhatBelongsToFiles()
    {
        if (Environment.UserName != "root")
        {
            Assert.Skip("Owners need root.");
        }

        var source = Directory.CreateDirectory(Path.Combine(_root, "source", "dir")).Parent!.FullName;
        var target = Directory.CreateDirectory(Path.Combine(_root, "target")).FullName;
        var time = new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        var file = Path.Combine(source, "dir", "file");
        File.WriteAllText(file, "content");
        DirectoryHandle.SetMode(file, SetUserId);
        File.SetLastWriteTimeUtc(file, time);
        File.CreateSymbolicLink(Path.Combine(source, "link"), "/absent");
        Assert.Equal(0, TreeSyscallsLink(source, "dir/file\0", "hard\0"));
        DirectoryHandle.SetOwner(source, 12, 34);
        Directory.SetLastWriteTimeUtc(Path.Combine(source, "dir"), time);

        TreeCopier.Copy(source, target, CancellationToken.None);

        var copy = Path.Combine(target, "dir", "file");
        Assert.Equal("content", File.ReadAllText(copy));
        Assert.Equal(time, File.GetLastWriteTimeUtc(copy));
        Assert.Equal(time, Directory.GetLastWriteTimeUtc(Path.Combine(target, "dir")));
        Assert.Equal("/absent", new FileInfo(Path.Combine(target, "link")).LinkTarget);
        Assert.Equal(0, FileStatus.Read(copy, out var one));
        Assert.Equal(SetUserId, one.Mode & 0xFFFu);
        Assert.Equal(0, FileStatus.Read(Path.Combine(target, "hard"), out var two));
        Assert.Equal((one.Inode, 2u), (two.Inode, two.LinkCount));
        Assert.Equal(0, FileStatus.Read(target, out var root));
        Assert.Equal((12u, 34u), (root.Uid, root.Gid));
    }

    private static int TreeSyscallsLink(string directory, string from, string to)
    {
        using var handle = DirectoryHandle.Open(directory);
        return NameAt.Link(handle, System.Text.Encoding.UTF8.GetBytes(from), handle, System.Text.Encoding.UTF8.GetBytes(to), "link") ? 0 : -1;
    }
}
