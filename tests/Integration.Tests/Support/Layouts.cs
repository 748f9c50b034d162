using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using ImageStore.Store.Oci;

namespace ImageStore.Integration.Tests.Support;

/// <summary>Writes images as OCI layouts, for skopeo to push and umoci to unpack.</summary>
internal static class Layouts
{
    /// <summary>Three layers with what is hard: links, types that change, whiteouts, owners, xattrs, devices.</summary>
    /// <param name="directory">Where it is written.</param>
    /// <param name="mark">Makes every layer's bytes its own: skopeo puts layers that it has pushed before in their place.</param>
    public static string Tricky(string directory, string mark)
    {
        using var first = new LayerBuilder().File("mark1", Encoding.UTF8.GetBytes(mark))
            .Directory("usr/").Directory("usr/bin/").Symlink("bin", "usr/bin")
            .File("usr/bin/tool", Encoding.UTF8.GetBytes("tool"), 0x9ED)
            .HardLink("usr/bin/same-tool", "usr/bin/tool", 0x9ED)
            .File("usr/bin/capable", [1, 2, 3], 0x1ED, 0, 0, ("SCHILY.xattr.user.note", "hello"))
            .Directory("data/", 0x3FF, 1000, 1001).File("data/keep", [1]).File("data/drop", [2])
            .Directory("data/deep/").File("data/deep/a", [3]).File("data/deep/b", [4])
            .Directory("swap/").File("swap/becomes-dir", [5]).Directory("swap/becomes-file/").File("swap/becomes-file/x", [6])
            .Symlink("swap/becomes-real", "/etc/passwd")
            .Directory("opaque/", 0x1C0, 5, 6).File("opaque/old", [7])
            .Device("null", 1, 3).Fifo("pipe")
            .File("owner", [8], 0x1A4, 70000, 1_000_000_000)
            .Directory($"{new string('n', 150)}/").File($"{new string('n', 150)}/{new string('m', 200)}", [9])
            .File("empty", []);
        using var second = new LayerBuilder().File("mark2", Encoding.UTF8.GetBytes(mark))
            .Whiteout("data/drop").Whiteout("data/deep")
            .File("data/new", [10])
            .Directory("swap/").Directory("swap/becomes-dir/").File("swap/becomes-dir/y", [11])
            .File("swap/becomes-file", [12]).File("swap/becomes-real", [13])
            .Directory("opaque/", 0x1C0, 5, 6).File("opaque/new", [14]).Opaque("opaque")
            .File("data/keep", [15, 16], 0x180, 7, 8);
        using var third = new LayerBuilder().File("mark3", Encoding.UTF8.GetBytes(mark))
            .Directory("data/deep/").File("data/deep/again", [17])
            .File("usr/bin/later", [18])
            .Whiteout("swap/becomes-file");
        return Write(directory, [Gzip(first.ToArray()), Gzip(second.ToArray()), third.ToArray().AsLayer()]);
    }

    /// <summary>Layers of files with pseudo-random content: what takes a while to pull.</summary>
    public static string Random(string directory, int layers, int filesPerLayer, int bytesPerFile, int seed)
    {
        var random = new System.Random(seed);
        List<Layer> result = [];
        for (var i = 0; i < layers; i++)
        {
            using var layer = new LayerBuilder();
            layer.Directory($"layer{i}/");
            for (var j = 0; j < filesPerLayer; j++)
            {
                var content = new byte[bytesPerFile];
                random.NextBytes(content.AsSpan(0, bytesPerFile / 2));
                layer.File($"layer{i}/file{j}", content);
            }

            result.Add(Gzip(layer.ToArray()));
        }

        return Write(directory, result);
    }

    public sealed record Layer(byte[] Bytes, Digest DiffId, string MediaType);

    public static Layer Gzip(byte[] tar)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return new Layer(result.ToArray(), Digest.Compute(tar), MediaTypes.OciLayerGzip);
    }

    public static Layer AsLayer(this byte[] tar) => new(tar, Digest.Compute(tar), MediaTypes.OciLayer);

    /// <summary>Writes the layout of one image with the tag <c>latest</c>; returns its directory.</summary>
    public static string Write(string directory, IReadOnlyList<Layer> layers)
    {
        var top = Manifest(directory, Platform.Current, layers);
        return Finish(directory, top);
    }

    /// <summary>Writes the layout of an index with an image for each platform.</summary>
    public static string WriteIndex(string directory, IReadOnlyDictionary<Platform, IReadOnlyList<Layer>> images)
    {
        var entries = images.Select(image =>
        {
            var entry = Manifest(directory, image.Key, image.Value);
            entry["platform"] = new JsonObject { ["architecture"] = image.Key.Architecture, ["os"] = image.Key.Os };
            return (JsonNode)entry;
        });
        var index = new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex, ["manifests"] = new JsonArray([.. entries]),
        };
        return Finish(directory, Put(directory, MediaTypes.OciIndex, Encoding.UTF8.GetBytes(index.ToJsonString())));
    }

    /// <summary>A layout with an artifact, tagged <c>signature</c>, whose subject is the image of another layout; returns its directory.</summary>
    public static string Referrer(string subject, string directory, string artifactType)
    {
        var top = JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(subject, "index.json")))!["manifests"]![0]!.DeepClone().AsObject();
        top.Remove("annotations");
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = artifactType,
            ["config"] = Put(directory, MediaTypes.OciEmpty, "{}"u8.ToArray()),
            ["layers"] = new JsonArray(Put(directory, "text/plain", Encoding.UTF8.GetBytes("signed"))),
            ["subject"] = top,
        };
        return Finish(directory, Put(directory, MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString())), "signature");
    }

    private static JsonObject Manifest(string directory, Platform platform, IReadOnlyList<Layer> layers)
    {
        var config = new JsonObject
        {
            ["architecture"] = platform.Architecture,
            ["os"] = platform.Os,
            ["config"] = new JsonObject(),
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. layers.Select(layer => (JsonNode)layer.DiffId.ToString())]),
            },
        };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Put(directory, MediaTypes.OciConfig, Encoding.UTF8.GetBytes(config.ToJsonString())),
            ["layers"] = new JsonArray([.. layers.Select(layer => (JsonNode)Put(directory, layer.MediaType, layer.Bytes))]),
        };
        return Put(directory, MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()));
    }

    private static string Finish(string directory, JsonObject top, string tag = "latest")
    {
        top["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = tag };
        var index = new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex, ["manifests"] = new JsonArray(top),
        };
        System.IO.File.WriteAllText(Path.Combine(directory, "index.json"), index.ToJsonString());
        System.IO.File.WriteAllText(Path.Combine(directory, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        return directory;
    }

    private static JsonObject Put(string directory, string mediaType, byte[] bytes)
    {
        var digest = Digest.Compute(bytes);
        var blobs = System.IO.Directory.CreateDirectory(Path.Combine(directory, "blobs/sha256"));
        System.IO.File.WriteAllBytes(Path.Combine(blobs.FullName, digest.Hex), bytes);
        return new JsonObject { ["mediaType"] = mediaType, ["digest"] = digest.ToString(), ["size"] = bytes.Length };
    }
}
