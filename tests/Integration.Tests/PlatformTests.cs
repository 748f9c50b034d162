using System.Text.Json;
using ImageStore.Integration.Tests.Support;
using ImageStore.Store.Oci;

namespace ImageStore.Integration.Tests;

/// <summary>Images for several platforms, and images by digest.</summary>
[Collection(RegistryGroup.Name)]
public sealed class PlatformTests(RegistryFixture registry) : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-platform-");

    public void Dispose() => _work.Delete(recursive: true);

    [Fact]
    public async Task Pull_Index_TakesThisMachinesPlatformOnly()
    {
        Run.NeedRoot();
        var (reference, _) = await PushAsync();
        var cli = new ImageStoreCli(In("root"));

        await cli.OkAsync("pull", reference);

        var tree = await Trees.MountedAsync(cli, reference, In("mnt"));
        Assert.Contains(Platform.Current.Architecture, tree.Keys);
        Assert.Equal(1 + 1 + 1 + 1, Blobs(Path.Combine(cli.Root, "content")).Length);
    }

    [Fact]
    public async Task Pull_OtherPlatform_UnpacksThatOne()
    {
        Run.NeedRoot();
        var (reference, layout) = await PushAsync();
        var cli = new ImageStoreCli(In("root"));

        await cli.OkAsync("pull", "--platform", "linux/s390x", reference);

        var snapshots = Directory.GetDirectories(In("root/snapshots/overlayfs"));
        Assert.True(File.Exists(Path.Combine(Assert.Single(snapshots), "fs/s390x")));
        Assert.NotEmpty(layout);
    }

    [Fact]
    public async Task Pull_AllPlatforms_HasEveryBlobOfTheIndex()
    {
        Run.NeedRoot();
        var (reference, layout) = await PushAsync();
        var cli = new ImageStoreCli(In("root"));

        await cli.OkAsync("pull", "--all-platforms", reference);

        Assert.Equal(Blobs(layout), Blobs(Path.Combine(cli.Root, "content")));
    }

    [Fact]
    public async Task Pull_PlatformThatIsNotThere_SaysWhichAre()
    {
        var (reference, _) = await PushAsync();
        var cli = new ImageStoreCli(In("root"));

        var result = await cli.TryAsync("pull", "--platform", "linux/riscv64", reference);

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("linux/riscv64", result.Error, StringComparison.Ordinal);
        Assert.Contains("linux/s390x", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pull_ByDigest_HasExactlyThat(bool withTag)
    {
        Run.NeedRoot();
        var (reference, layout) = await PushAsync();
        using var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(layout, "index.json")));
        var digest = index.RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!;
        var byDigest = (withTag ? reference : reference[..reference.LastIndexOf(':')]) + "@" + digest;
        var cli = new ImageStoreCli(In("root"));

        await cli.OkAsync("pull", byDigest);

        Assert.Contains(digest, await cli.OkAsync("images", "ls"), StringComparison.Ordinal);
        Assert.Contains(Platform.Current.Architecture, (await Trees.MountedAsync(cli, byDigest, In("mnt"))).Keys);
    }

    private async Task<(string Reference, string Layout)> PushAsync()
    {
        registry.Need();
        var layout = Layouts.WriteIndex(In("layout"), new Dictionary<Platform, IReadOnlyList<Layouts.Layer>>
        {
            [Platform.Parse("linux/s390x")] = [Named("s390x")],
            [Platform.Current] = [Named(Platform.Current.Architecture)],
        });
        return (await registry.PushAsync(layout, "platforms"), layout);
    }

    private static Layouts.Layer Named(string name)
    {
        using var layer = new LayerBuilder().File(name, [1]);
        return Layouts.Gzip(layer.ToArray());
    }

    private static string[] Blobs(string content) =>
        [.. Directory.GetFiles(Path.Combine(content, "blobs/sha256")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private string In(string name) => Path.Combine(_work.FullName, name);
}
