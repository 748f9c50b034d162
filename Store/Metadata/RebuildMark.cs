using System.Text.Json;
using System.Text.Json.Serialization;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Store.Metadata;

/// <summary>Lies beside a rebuilt database until what it lacks is found on the disk: whoever collected before would delete it.</summary>
/// <param name="At">When it was rebuilt.</param>
/// <param name="Lost">Tables that the damaged database did not have whole: they are a backup's, or empty.</param>
public sealed record RebuildMark(DateTimeOffset At, IReadOnlyList<string> Lost)
{
    private const string FileName = "rebuilt.json";
    private const int MaxBytes = 64 * 1024;

    /// <summary>The mark of a database, or null.</summary>
    /// <exception cref="ImageStoreException">There is one that cannot be read (<see cref="ErrorKind.CorruptData"/>).</exception>
    internal static RebuildMark? Load(string metadataDirectory)
    {
        var path = Path.Combine(metadataDirectory, FileName);
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(SmallFile.ReadText(path, MaxBytes), RebuildJson.Default.RebuildMark) : null;
        }
        catch (JsonException failure)
        {
            throw new ImageStoreException(ErrorKind.CorruptData, $"{Printable.Of(path)} is damaged.", "Look at what fsck has put aside, then delete the file.", failure);
        }
    }

    internal void Save(string metadataDirectory) => WholeFile.Write(
        Path.Combine(metadataDirectory, FileName), JsonSerializer.SerializeToUtf8Bytes(this, RebuildJson.Default.RebuildMark), WholeFile.Private);

    internal static void Remove(string metadataDirectory)
    {
        File.Delete(Path.Combine(metadataDirectory, FileName));
        KernelFile.SyncDirectory(metadataDirectory);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RebuildMark))]
internal sealed partial class RebuildJson : JsonSerializerContext;
