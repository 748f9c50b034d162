using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>The files that a mirror keeps between runs: small, sorted and indented, so that they can be kept under version control.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    AllowDuplicateProperties = false,
    MaxDepth = OciLimits.MaxJsonDepth,
    RespectNullableAnnotations = true,
    WriteIndented = true)]
[JsonSerializable(typeof(SortedDictionary<string, Digest>))]
internal sealed partial class MirrorJson : JsonSerializerContext
{
    private const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>Names and digests from <paramref name="path"/>; null when it is not there.</summary>
    /// <exception cref="ImageStoreException">It is malformed.</exception>
    public static SortedDictionary<string, Digest>? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var read = JsonSerializer.Deserialize(SmallFile.ReadText(path, MaxBytes), Default.SortedDictionaryStringDigest);
            return new(read ?? throw new JsonException(), StringComparer.Ordinal);
        }
        catch (Exception failure) when (failure is JsonException or FormatException)
        {
            throw new ImageStoreException(
                ErrorKind.FailedPrecondition,
                $"{Printable.Of(path)} is malformed ({Printable.Of(failure.Message)}).",
                "It has to be a JSON object of names and digests; restore it, or remove it to begin anew.",
                failure);
        }
    }

    /// <summary>Writes names and digests.</summary>
    public static void Write(string path, SortedDictionary<string, Digest> entries) =>
        WholeFile.Write(
            path, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(entries, Default.SortedDictionaryStringDigest) + "\n"), WholeFile.Public);
}
