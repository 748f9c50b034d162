using System.Formats.Tar;
using System.Text.Json.Nodes;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>An OCI archive with two images that share a layer.</summary>
internal sealed record TestArchive(string Path, TestImage First, TestImage Second)
{
    /// <summary>Makes the archive below <paramref name="folder"/>.</summary>
    public static async Task<TestArchive> MakeAsync(string folder)
    {
        var shared = Layer("shared", 900);
        var one = Layouts.Write(System.IO.Path.Combine(folder, "one"), [shared, Layer("one", 1500)]);
        var two = Layouts.Write(System.IO.Path.Combine(folder, "two"), [shared, Layer("two", 5000)]);
        var (first, second) = (TestImage.Of(one, "archive.example/one:1"), TestImage.Of(two, "archive.example/two:1"));
        foreach (var blob in Directory.EnumerateFiles(System.IO.Path.Combine(two, "blobs/sha256")))
        {
            File.Copy(blob, System.IO.Path.Combine(one, "blobs/sha256", System.IO.Path.GetFileName(blob)), overwrite: true);
        }

        var index = System.IO.Path.Combine(one, "index.json");
        var entries = new JsonArray(Entry(one, first.Name), Entry(two, second.Name));
        var document = JsonNode.Parse(await File.ReadAllTextAsync(index))!.AsObject();
        document["manifests"] = entries;
        await File.WriteAllTextAsync(index, document.ToJsonString());
        var path = System.IO.Path.Combine(folder, "two-images.tar");
        await TarFile.CreateFromDirectoryAsync(one, path, includeBaseDirectory: false);
        return new TestArchive(path, first, second);
    }

    private static JsonObject Entry(string layout, string name)
    {
        var index = JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(layout, "index.json")))!;
        var entry = index["manifests"]![0]!.DeepClone().AsObject();
        entry["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = name };
        return entry;
    }

    private static Layouts.Layer Layer(string name, int bytes)
    {
        var content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        using var layer = new LayerBuilder();
        return Layouts.Gzip(layer.Directory($"{name}/").File($"{name}/file", content).ToArray());
    }
}
