using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>The files of blobs, read and hashed without the product.</summary>
internal sealed class BlobFiles(string directory)
{
    private const string Algorithm = "sha256:";

    private readonly ConcurrentDictionary<string, (long Size, string Digest)?> _seen = new(StringComparer.Ordinal);

    /// <summary>The digests by which the files are called.</summary>
    public IEnumerable<string> All =>
        Directory.Exists(directory) ? Directory.EnumerateFiles(directory).Select(file => Algorithm + Path.GetFileName(file)) : [];

    /// <summary>Size and digest of the file of that name, or null where there is none.</summary>
    public (long Size, string Digest)? Look(string digest) => _seen.GetOrAdd(digest, _ =>
    {
        var path = PathOf(digest);
        if (!File.Exists(path))
        {
            return null;
        }

        using var file = File.OpenRead(path);
        return (file.Length, Algorithm + Convert.ToHexStringLower(SHA256.HashData(file)));
    });

    /// <summary>What a manifest refers to: its config and layers, with their sizes.</summary>
    public IReadOnlyList<(string Digest, long Size)> ReferencesOf(string manifest)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(PathOf(manifest)));
        return [.. document.RootElement.GetProperty("layers").EnumerateArray()
            .Prepend(document.RootElement.GetProperty("config"))
            .Select(descriptor => (descriptor.GetProperty("digest").GetString()!, descriptor.GetProperty("size").GetInt64()))];
    }

    private string PathOf(string digest) => Path.Combine(directory, digest[Algorithm.Length..]);
}
