using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests;

/// <summary>The main job, from a real registry onto a real disk.</summary>
[Collection(RegistryGroup.Name)]
public sealed class PullTests(RegistryFixture registry) : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("imagestore-pull-");

    public void Dispose() => _work.Delete(recursive: true);

    [Theory]
    [InlineData("overlayfs")]
    [InlineData("native")]
    [InlineData("erofs")]
    public async Task Pull_TrickyImage_GivesTheTreeThatUmociGives(string snapshotter)
    {
        Run.NeedRoot();
        Run.Need("umoci", "getfattr");
        registry.Need();
        var layout = Layouts.Tricky(In("layout"), snapshotter);
        var reference = await registry.PushAsync(layout, "tricky-" + snapshotter);
        var expected = await Trees.ByUmociAsync(layout, In("bundle"));

        var cli = new ImageStoreCli(In("root"));
        await cli.OkAsync("pull", "--snapshotter", snapshotter, reference);
        var actual = await Trees.MountedAsync(cli, reference, In("mnt"), "--snapshotter", snapshotter);

        Trees.AssertEqual(expected, actual);
        Assert.True(actual.Count > 20);
    }

    [Fact]
    public async Task Pull_Twice_SaysThatNothingWasLeftToDo()
    {
        Run.NeedRoot();
        registry.Need();
        var reference = await registry.PushAsync(Layouts.Random(In("layout"), 2, 3, 1000, seed: 1), "twice");
        var cli = new ImageStoreCli(In("root"));
        await cli.OkAsync("pull", reference);
        var digest = await cli.OkAsync("images", "ls", "--format", "json");
        await cli.OkAsync("pull", reference);
        Assert.Equal(digest, await cli.OkAsync("images", "ls", "--format", "json"));
    }

    private string In(string name) => Path.Combine(_work.FullName, name);
}
