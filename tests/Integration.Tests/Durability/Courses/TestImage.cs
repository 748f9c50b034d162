using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>An image that a test made: its name, and what a store has to have of it.</summary>
/// <param name="Name">The full name.</param>
/// <param name="Manifest">The manifest's digest.</param>
/// <param name="Blobs">Manifest, config and layers.</param>
/// <param name="Chain">The chain IDs of its layers, base first.</param>
internal sealed record TestImage(string Name, string Manifest, IReadOnlyList<string> Blobs, IReadOnlyList<string> Chain)
{
    /// <summary>Reads the only image of an OCI layout.</summary>
    public static TestImage Of(string layout, string name)
    {
        var manifest = Document(layout, "index.json").GetProperty("manifests")[0].GetProperty("digest").GetString()!;
        var parts = Blob(layout, manifest);
        var config = parts.GetProperty("config").GetProperty("digest").GetString()!;
        var layers = parts.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("digest").GetString()!);
        List<string> chain = [];
        foreach (var diffId in Blob(layout, config).GetProperty("rootfs").GetProperty("diff_ids").EnumerateArray())
        {
            chain.Add(chain.Count == 0 ? diffId.GetString()! : Hash($"{chain[^1]} {diffId.GetString()}"));
        }

        return new TestImage(name, manifest, [manifest, config, .. layers], chain);
    }

    /// <summary>Pushes an OCI layout to a registry; its name is the reference to pull.</summary>
    public static async Task<TestImage> PushAsync(RegistryFixture registry, string layout, string name) =>
        Of(layout, await registry.PushAsync(layout, name));

    private static JsonElement Blob(string layout, string digest) =>
        Document(layout, Path.Combine("blobs", digest.Replace(':', '/')));

    private static JsonElement Document(string layout, string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(layout, path)));
        return document.RootElement.Clone();
    }

    private static string Hash(string text) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
