using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using ImageStore.Store.Oci;

namespace ImageStore.TestKit;

/// <summary>Makes images and puts them into the fake registry.</summary>
public static class ImageBuilder
{
    /// <summary>Where they go.</summary>
    public const string Repository = "team/app";

    /// <summary>A layer with one file of pseudo-random bytes, so that it does not compress.</summary>
    public static byte[] Tar(string name, int bytes)
    {
        var content = new byte[bytes];
        new Random(name.Length + bytes).NextBytes(content);
        using var result = new MemoryStream();
        using (var tar = new TarWriter(result, TarEntryFormat.Pax, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        }

        return result.ToArray();
    }

    /// <summary>Bytes with gzip.</summary>
    public static byte[] Gzip(byte[] tar)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return result.ToArray();
    }

    /// <summary>An image whose layers are these tars, under <paramref name="tag"/>.</summary>
    public static Descriptor AddImage(this FakeRegistry registry, string tag, params byte[][] tars) =>
        registry.AddImage(
            tag,
            [.. tars.Select(tar => registry.AddBlob(Repository, Gzip(tar)))],
            [.. tars.Select(tar => Digest.Compute(tar))]);

    /// <summary>An image with layers as the registry has them, whatever they are.</summary>
    public static Descriptor AddImage(
        this FakeRegistry registry, string tag, IReadOnlyList<Descriptor> layers, IReadOnlyList<Digest> diffIds, Platform? platform = null)
    {
        var config = new JsonObject
        {
            ["architecture"] = (platform ?? Platform.Current).Architecture,
            ["os"] = "linux",
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. diffIds.Select(diffId => (JsonNode)diffId.ToString())]),
            },
        };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Json(registry.AddBlob(Repository, Bytes(config), MediaTypes.OciConfig)),
            ["layers"] = new JsonArray([.. layers.Select(Json)]),
        };
        return registry.AddManifest(Repository, tag, Bytes(manifest));
    }

    /// <summary>An index over manifests.</summary>
    public static Descriptor AddIndex(this FakeRegistry registry, string tag, params (Descriptor Manifest, string? Platform)[] entries)
    {
        var index = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = new JsonArray([.. entries.Select(entry =>
            {
                var json = Json(entry.Manifest);
                if (entry.Platform is { } platform)
                {
                    json["platform"] = new JsonObject { ["os"] = platform.Split('/')[0], ["architecture"] = platform.Split('/')[1] };
                }

                return json;
            })]),
        };
        return registry.AddManifest(Repository, tag, Bytes(index), MediaTypes.OciIndex);
    }

    /// <summary>JSON as bytes.</summary>
    public static byte[] Bytes(JsonNode json) => Encoding.UTF8.GetBytes(json.ToJsonString());

    /// <summary>A descriptor as JSON.</summary>
    public static JsonNode Json(Descriptor descriptor)
    {
        var json = new JsonObject
        {
            ["mediaType"] = descriptor.MediaType, ["digest"] = descriptor.Digest.ToString(), ["size"] = descriptor.Size,
        };
        if (descriptor.Data is { } data)
        {
            json["data"] = Convert.ToBase64String(data);
        }

        return json;
    }
}
