using ImageStore.Integration.Tests.Support;
using ImageStore.Store.Oci;

namespace ImageStore.Integration.Tests;

/// <summary>Archives that go to and come from skopeo, podman, umoci and ctr.</summary>
public sealed class ArchiveExchangeTests : IDisposable
{
    private const string Name = "registry.example/exchange:1";

    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-exchange-");
    private readonly ImageStoreCli _cli;
    private readonly string _layout;

    public ArchiveExchangeTests()
    {
        _cli = new ImageStoreCli(In("root"), new Dictionary<string, string> { ["DOCKER_CONFIG"] = In("docker") });
        _layout = Layouts.Tricky(Directory.CreateDirectory(In("layout")).FullName, "exchange");
    }

    public void Dispose() => _work.Delete(recursive: true);

    [Theory]
    [InlineData("oci-archive")]
    [InlineData("docker-archive")]
    public async Task Ours_SkopeoReads(string kind)
    {
        Run.Need("skopeo");
        await _cli.OkAsync("-q", "copy", $"oci:{_layout}:latest", $"{kind}:{In("a.tar")}:{Name}");

        await Run.AsyncOk("skopeo", "--insecure-policy", "copy", "-q", $"{kind}:{In("a.tar")}", $"dir:{In("out")}");

        // Out of docker's format skopeo takes layers without their compression; in OCI's they stay as they were.
        var read = Directory.EnumerateFiles(In("out")).Select(Path.GetFileName).Where(IsLayer).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(LayersOf(_layout).Count(), read.Count);
        Assert.True(kind == "docker-archive" || LayersOf(_layout).SequenceEqual(read));
    }

    [Fact]
    public async Task Ours_PodmanLoads()
    {
        Run.Need("podman");
        Run.NeedRoot();
        await _cli.OkAsync("-q", "import", "--name", Name, "--image", "latest", _layout);
        await _cli.OkAsync("-q", "images", "tag", Name, "registry.example/second:2");
        foreach (var (file, options) in ((string, string[])[])[("a.tar", []), ("d.tar", ["--docker"])])
        {
            await _cli.OkAsync(["-q", "export", .. options, In(file), Name, "registry.example/second:2"]);
            var loaded = await PodmanAsync("load", "-q", "-i", In(file));
            Assert.Contains(Name, loaded, StringComparison.Ordinal);
            Assert.Contains("registry.example/second:2", loaded, StringComparison.Ordinal);
            await PodmanAsync("rmi", "-a", "-f");
        }
    }

    [Fact]
    public async Task Ours_UmociUnpacksTheSameTree()
    {
        Run.Need("umoci");
        Run.NeedRoot();
        await _cli.OkAsync("-q", "copy", $"oci:{_layout}:latest", $"oci:{In("copy")}:latest");
        foreach (var layout in (string[])[_layout, In("copy")])
        {
            await Run.AsyncOk("umoci", "unpack", "--image", $"{layout}:latest", layout + "-tree");
        }

        await AssertSameTreeAsync(_layout + "-tree/rootfs", In("copy-tree/rootfs"));
    }

    [Fact]
    public async Task Ctr_ImportsOursAndExportsForUs()
    {
        Run.Need("containerd", "ctr");
        Run.NeedRoot();
        await using var containerd = await Containerd.StartAsync(In("containerd"));
        await _cli.OkAsync("-q", "import", "--name", Name, "--image", "latest", _layout);
        await _cli.OkAsync("-q", "export", In("a.tar"), Name);

        await containerd.CtrAsync("images", "import", "--no-unpack", In("a.tar"));
        var listed = await containerd.CtrAsync("images", "ls");
        Assert.Contains($"{Name} ", listed, StringComparison.Ordinal);
        Assert.Contains(TopOf(_layout), listed, StringComparison.Ordinal);
        await containerd.CtrAsync("images", "export", In("theirs.tar"), Name);

        var other = new ImageStoreCli(In("other"));
        Assert.Equal($"{Name}  {TopOf(_layout)}\n", await other.OkAsync("-q", "import", In("theirs.tar")));
    }

    [Theory]
    [InlineData("docker-archive", "")]
    [InlineData("oci-archive", "")]
    [InlineData("docker-archive", "-m")]
    public async Task Podmans_AreImported(string format, string several)
    {
        Run.Need("podman", "skopeo");
        Run.NeedRoot();
        await _cli.OkAsync("-q", "copy", $"oci:{_layout}:latest", $"docker-archive:{In("in.tar")}:{Name}");
        await PodmanAsync("load", "-q", "-i", In("in.tar"));
        await PodmanAsync(["save", "-q", .. several.Length > 0 ? [several] : (string[])[], "--format", format, "-o", In("out.tar"), Name]);
        await PodmanAsync("rmi", "-a", "-f");

        await _cli.OkAsync("-q", "import", In("out.tar"));
        Directory.CreateDirectory(In("tree"));
        await _cli.OkAsync("unpack", "--snapshotter", "native", Name);
        await Run.AsyncOk("umoci", "unpack", "--image", $"{_layout}:latest", In("reference"));
        await _cli.OkAsync("mount", "--snapshotter", "native", Name, In("tree"));
        try
        {
            await AssertSameTreeAsync(In("reference/rootfs"), In("tree"));
        }
        finally
        {
            await _cli.OkAsync("unmount", "--snapshotter", "native", In("tree"));
        }
    }

    [Theory]
    [InlineData("oci-archive", "gzip")]
    [InlineData("oci-archive", "zstd")]
    [InlineData("oci-archive", "xz")]
    [InlineData("oci-archive", "bzip2")]
    [InlineData("docker-archive", "gzip")]
    public async Task Skopeos_AreImportedWhateverTheyAreCompressedWith(string kind, string compressor)
    {
        Run.Need("skopeo", compressor);
        await Run.AsyncOk("skopeo", "--insecure-policy", "copy", "-q", $"oci:{_layout}:latest", $"{kind}:{In("a.tar")}:{Name}");
        await Run.AsyncOk(compressor, "-k", In("a.tar"));
        var packed = Directory.EnumerateFiles(_work.FullName, "a.tar?*").Single(file => !file.EndsWith(".tar", StringComparison.Ordinal));

        var fromFile = await _cli.OkAsync("-q", "import", packed);
        var streamed = await new ImageStoreCli(In("second")).TryWithBytesAsync(await File.ReadAllBytesAsync(packed), "-q", "import", "-");

        Assert.StartsWith(Name, fromFile, StringComparison.Ordinal);
        Assert.Equal(fromFile, streamed.Output);
    }

    [Fact]
    public async Task Export_OfOnePlatformPulled_IsSparseAndComesBack()
    {
        var index = Layouts.WriteIndex(In("index"), new Dictionary<Platform, IReadOnlyList<Layouts.Layer>>
        {
            [Platform.Parse("linux/amd64")] = [new LayerBuilder().File("a", [1]).ToArray().AsLayer()],
            [Platform.Parse("linux/arm64")] = [new LayerBuilder().File("b", [2]).ToArray().AsLayer()],
        });
        await _cli.OkAsync("-q", "import", "--name", Name, "--platform", "linux/arm64", "--sparse", index);

        await _cli.OkAsync("-q", "export", In("a.tar"), Name);
        var names = await Run.AsyncOk("tar", "tf", In("a.tar"));
        Assert.Equal(4, names.Split('\n').Count(line => line.Contains("/sha256/", StringComparison.Ordinal)));
        Assert.Equal($"{Name}  {TopOf(index)}\n", await new ImageStoreCli(In("second")).OkAsync("-q", "import", In("a.tar")));
    }

    [Fact]
    public async Task Import_HasNoName_SaysHowToGiveOne()
    {
        var result = await _cli.TryAsync("import", _layout);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--name", result.Error, StringComparison.Ordinal);
        Assert.Equal("[]\n", await _cli.OkAsync("--format", "json", "images", "ls"));
    }

    private static async Task AssertSameTreeAsync(string expected, string actual) => Assert.Empty(
        TreeListing.Difference(await TreeListing.OfAsync(expected), await TreeListing.OfAsync(actual)));

    private static bool IsLayer(string? file) => file is not (null or "manifest.json" or "version");

    private static IEnumerable<string> LayersOf(string layout)
    {
        var blobs = Path.Combine(layout, "blobs/sha256");
        var top = TopOf(layout)["sha256:".Length..];
        return Directory.EnumerateFiles(blobs).Select(Path.GetFileName).OfType<string>().Where(file => file != top).Order(StringComparer.Ordinal);
    }

    private static string TopOf(string layout)
    {
        using var json = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(Path.Combine(layout, "index.json")));
        return json.RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!;
    }

    private Task<string> PodmanAsync(params string[] arguments) =>
        Run.AsyncOk("podman", ["--root", In("podman"), "--runroot", In("podman-run"), "--storage-driver", "vfs", .. arguments]);

    private string In(string name) => Path.Combine(_work.FullName, name);
}
