using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Kills;

/// <summary>The images of the random courses: an archive, and some in a registry that share a layer.</summary>
internal sealed record KillImages(TestArchive Archive, IReadOnlyList<TestImage> Pullable)
{
    /// <summary>Makes and pushes them.</summary>
    public static async Task<KillImages> MakeAsync(RegistryFixture registry, string folder)
    {
        var shared = Layer("base", 30_000);
        var small = Layouts.Write(Path.Combine(folder, "small"), [shared, Layer("small", 2000)]);
        var large = Layouts.Write(Path.Combine(folder, "large"), [shared, Layer("large", 90_000), Layer("larger", 200_000)]);
        return new KillImages(
            await TestArchive.MakeAsync(folder),
            [
                await TestImage.PushAsync(registry, small, "kills-small"),
                await TestImage.PushAsync(registry, large, "kills-large"),
                await TestImage.PushAsync(registry, Layouts.Tricky(Path.Combine(folder, "tricky"), "kills"), "kills-tricky"),
            ]);
    }

    private static Layouts.Layer Layer(string name, int bytes)
    {
        var content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        using var layer = new LayerBuilder();
        return Layouts.Gzip(layer.Directory($"{name}/").File($"{name}/file", content).ToArray());
    }
}
