using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Fsck;

/// <summary>How far the reading of all blobs is: it goes by digest, so that a name is all there is to remember.</summary>
/// <param name="StartedAt">When this round began.</param>
/// <param name="Cursor">The last blob that was read; null at the start of a round.</param>
/// <param name="Blobs">How many were read in this round.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="EndedAt">When the last whole round ended; null before the first.</param>
internal sealed record ScrubState(DateTimeOffset StartedAt, string? Cursor, int Blobs, long Bytes, DateTimeOffset? EndedAt)
{
    private const string FileName = "scrub.json";
    private const int MaxBytes = 64 * 1024;

    /// <summary>What an earlier run left; null when there is nothing, or nothing that can be read: then a new round begins.</summary>
    public static ScrubState? Load(string root)
    {
        var path = Path.Combine(root, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(SmallFile.ReadText(path, MaxBytes), ScrubJson.Default.ScrubState);
        }
        catch (Exception failure) when (failure is JsonException or ImageStoreException)
        {
            return null;
        }
    }

    /// <summary>Is a round under way, or the last one an <paramref name="interval"/> ago?</summary>
    public static bool IsDue(string root, TimeSpan interval, DateTimeOffset now) =>
        Load(root) is not { Cursor: null, EndedAt: { } ended } || (now - ended).Duration() >= interval;

    public void Save(string root) =>
        WholeFile.Write(Path.Combine(root, FileName), Encoding.UTF8.GetBytes(JsonSerializer.Serialize(this, ScrubJson.Default.ScrubState)), WholeFile.Private);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScrubState))]
internal sealed partial class ScrubJson : JsonSerializerContext;
