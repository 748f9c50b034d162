using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ImageStore.Engine;
using ImageStore.Engine.Pull;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store.Content;
using ImageStore.Store.Images;

namespace ImageStore.Cli.Output;

/// <summary>Results as JSON: one document a command, members in camel case.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<ImageRecord>))]
[JsonSerializable(typeof(IReadOnlyList<ContentInfo>))]
[JsonSerializable(typeof(IReadOnlyList<SnapshotInfo>))]
[JsonSerializable(typeof(ImageDetails))]
[JsonSerializable(typeof(PullResult))]
[JsonSerializable(typeof(StoreInfo))]
internal sealed partial class Json : JsonSerializerContext
{
    public static void Write<T>(T value, JsonTypeInfo<T> type) => Console.Out.WriteLine(JsonSerializer.Serialize(value, type));
}
