using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests;

/// <summary>Images as other tools make and push them.</summary>
[Collection(RegistryGroup.Name)]
public sealed class ImageKindTests(RegistryFixture registry) : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-kind-");

    public void Dispose() => _work.Delete(recursive: true);

    [Theory]
    [InlineData("oci-zstd", "application/vnd.oci.image.layer.v1.tar+zstd", "--format", "oci", "--dest-compress-format", "zstd")]
    [InlineData("docker", "application/vnd.docker.image.rootfs.diff.tar.gzip", "--format", "v2s2")]
    [InlineData("oci-gzip", "application/vnd.oci.image.layer.v1.tar+gzip", "--format", "oci")]
    public async Task Pull_PushedBySkopeo_GivesTheTreeThatUmociGives(string kind, string mediaType, params string[] options)
    {
        Run.NeedRoot();
        Run.Need("umoci", "getfattr");
        registry.Need();
        var layout = Layouts.Tricky(In("layout"), kind);
        var expected = await Trees.ByUmociAsync(layout, In("bundle"));
        var source = kind == "oci-zstd" ? await UncompressedAsync(layout) : layout;
        var reference = await registry.PushAsync(source, kind, options);

        var cli = new ImageStoreCli(In("root"));
        await cli.OkAsync("pull", reference);

        Assert.Contains(mediaType, await cli.OkAsync("images", "inspect", "--format", "json", reference), StringComparison.Ordinal);
        Trees.AssertEqual(expected, await Trees.MountedAsync(cli, reference, In("mnt")));
    }

    [Fact]
    public async Task Pull_MadeByUmoci_GivesTheTreeThatUmociGives()
    {
        Run.NeedRoot();
        Run.Need("umoci", "getfattr");
        registry.Need();
        var layout = In("layout");
        await Run.AsyncOk("umoci", "init", "--layout", layout);
        await Run.AsyncOk("umoci", "new", "--image", $"{layout}:latest");
        foreach (var (folder, target) in new[] { ("/usr/share/common-licenses", "/licences"), ("/etc/skel", "/home") })
        {
            await Run.AsyncOk("umoci", "insert", "--image", $"{layout}:latest", folder, target);
        }

        await Run.AsyncOk("umoci", "insert", "--image", $"{layout}:latest", "--whiteout", "/licences/GPL-2");
        var expected = await Trees.ByUmociAsync(layout, In("bundle"));
        var reference = await registry.PushAsync(layout, "umoci");

        var cli = new ImageStoreCli(In("root"));
        await cli.OkAsync("pull", reference);

        Trees.AssertEqual(expected, await Trees.MountedAsync(cli, reference, In("mnt")));
    }

    [Fact]
    public async Task Pull_RealFoldersOfThisMachine_GivesTheTreeThatUmociGives()
    {
        Run.NeedRoot();
        Run.Need("umoci", "getfattr", "python3");
        registry.Need();
        var layout = In("layout");
        await Run.AsyncOk(
            "python3", Fixtures.MakeImage(), layout, "--layer", "/etc", "--layer", "/usr/lib/python3", "--layer", "/usr/sbin");
        var expected = await Trees.ByUmociAsync(layout, In("bundle"));
        var reference = await registry.PushAsync(layout, "real");

        var cli = new ImageStoreCli(In("root"));
        await cli.OkAsync("pull", reference);
        var actual = await Trees.MountedAsync(cli, reference, In("mnt"));

        // The archives do not name these, so their times are for whoever unpacks to choose.
        foreach (var implied in new[] { "etc", "usr", "usr/lib", "usr/lib/python3", "usr/sbin" })
        {
            Assert.StartsWith("d 755 0:0 ", actual[implied], StringComparison.Ordinal);
            Assert.True(actual.Remove(implied) && expected.Remove(implied));
        }

        Trees.AssertEqual(expected, actual);
        Assert.True(actual.Count > 500);
    }

    /// <summary>The same image with plain layers, since skopeo compresses only what is not compressed yet.</summary>
    private async Task<string> UncompressedAsync(string layout)
    {
        var plain = In("plain");
        await Run.AsyncOk("skopeo", "copy", "--insecure-policy", "--dest-decompress", $"oci:{layout}:latest", $"dir:{In("dir")}");
        await Run.AsyncOk("skopeo", "copy", "--insecure-policy", "--dest-oci-accept-uncompressed-layers", $"dir:{In("dir")}", $"oci:{plain}:latest");
        return plain;
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
