using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests;

/// <summary>An image that was changed and committed here, as others pull and unpack it.</summary>
[Collection(RegistryGroup.Name)]
public sealed class CommitTests(RegistryFixture registry) : IAsyncDisposable
{
    private const string Changes = """
        set -e
        rm data/new
        rm -r opaque && mkdir opaque && echo new > opaque/new
        mkdir -p "new/é" && printf 'a\0b' > "new/é/$(printf 'bin\377ary')"
        ln new/é/* new/linked && ln usr/bin/tool usr/bin/third
        echo more >> data/keep
        chmod 6711 usr/bin/tool && chown 3000000000:7 data/deep/again
        setfattr -n user.note -v changed usr/bin/capable
        setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 new/linked
        mknod dev c 5 1 && mkfifo fifo2 && ln -s ../outside link
        touch -d '1969-12-31 23:59:58.25 UTC' data/deep/again
        touch -d '2026-05-06 07:08:09.123456789 UTC' link -h
        truncate -s 3M sparse && echo end >> sparse
        rm -r swap/becomes-dir && mkdir swap/becomes-dir
        """;

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-commit-");

    // .NET cannot delete what is no UTF-8.
    public async ValueTask DisposeAsync() => await Run.AsyncOk("rm", "-r", "-f", "--one-file-system", _work.FullName);

    [Theory]
    [InlineData("overlayfs", "gzip")]
    [InlineData("overlayfs", "zstd")]
    [InlineData("native", "gzip:1")]
    public async Task Commit_PushedAndPulledByOthers_IsTheTreeThatWasMounted(string snapshotter, string compression)
    {
        Run.NeedRoot();
        Run.Need("skopeo", "umoci", "getfattr", "setfattr");
        registry.Need();
        var name = $"commit-{snapshotter}-{compression.Replace(':', '-')}";
        var reference = await registry.PushAsync(Layouts.Tricky(In("layout"), name), name);
        var cli = new ImageStoreCli(In("root"));
        await cli.OkAsync("pull", "--snapshotter", snapshotter, reference);
        var mounted = Directory.CreateDirectory(In("mnt")).FullName;
        await cli.OkAsync("mount", "--rw", "--snapshotter", snapshotter, reference, mounted);
        SortedDictionary<string, string> expected;
        try
        {
            await Run.AsyncOk("sh", "-c", $"cd {mounted}\n{Changes}");
            await cli.OkAsync("commit", "--snapshotter", snapshotter, "--compression", compression, mounted, $"{registry.Host}/{name}:2");
            expected = await TreeListing.OfAsync(mounted);
            expected.Remove(string.Empty);
        }
        finally
        {
            await cli.OkAsync("unmount", "--snapshotter", snapshotter, mounted);
        }

        await cli.OkAsync("-q", "push", $"{registry.Host}/{name}:2");
        Trees.AssertEqual(expected, await Trees.MountedAsync(cli, $"{registry.Host}/{name}:2", mounted, "--snapshotter", snapshotter));

        if (compression == "zstd")
        {
            // Debian's umoci knows none; containerd does, below.
            return;
        }

        await Run.AsyncOk(
            "skopeo", "copy", "--src-tls-verify=false", "--insecure-policy", $"docker://{registry.Host}/{name}:2", $"oci:{In("theirs")}:latest");
        Trees.AssertEqual(expected, await Trees.ByUmociAsync(In("theirs"), In("bundle")));
    }

    [Fact]
    public async Task Commit_PulledByContainerd_IsTheTreeThatWasMounted()
    {
        Run.NeedRoot();
        Run.Need("containerd", "ctr", "getfattr");
        registry.Need();
        var reference = await registry.PushAsync(Layouts.Tricky(In("layout"), "ctr"), "commit-ctr");
        var cli = new ImageStoreCli(In("root"));
        await cli.OkAsync("pull", reference);
        var mounted = Directory.CreateDirectory(In("mnt")).FullName;
        await cli.OkAsync("mount", "--rw", reference, mounted);
        await File.WriteAllTextAsync(Path.Combine(mounted, "new"), "new");
        File.Delete(Path.Combine(mounted, "data/new"));
        await cli.OkAsync("commit", "--compression", "zstd", mounted, $"{registry.Host}/commit-ctr:2");
        await cli.OkAsync("unmount", mounted);
        await cli.OkAsync("-q", "push", $"{registry.Host}/commit-ctr:2");

        await using var containerd = await Containerd.StartAsync(In("containerd"));
        await containerd.CtrAsync("images", "pull", "--plain-http", $"{registry.Host}/commit-ctr:2");
        await containerd.CtrAsync("images", "mount", $"{registry.Host}/commit-ctr:2", mounted);
        try
        {
            Assert.Equal("new", await File.ReadAllTextAsync(Path.Combine(mounted, "new")));
            Assert.False(File.Exists(Path.Combine(mounted, "data/new")));
            Assert.True(File.Exists(Path.Combine(mounted, "data/keep")));
        }
        finally
        {
            await containerd.CtrAsync("images", "unmount", "--rm", mounted);
        }
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
