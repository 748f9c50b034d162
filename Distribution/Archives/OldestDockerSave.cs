using System.Text.Json;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>Turns the chain of version 1 images, which docker wrote before 1.10, into one config.</summary>
/// <remarks><see href="https://github.com/moby/docker-image-spec/blob/main/v1.0.md">Docker image specification 1.0</see>.</remarks>
internal static class OldestDockerSave
{
    /// <summary>From the base to the image <paramref name="top"/>.</summary>
    public static List<(string Id, byte[] Json)> Chain(string top, Func<string, byte[]> read, string name)
    {
        List<(string, byte[])> chain = [];
        HashSet<string> seen = [];
        for (string? id = top; id is not null;)
        {
            if (!id.All(char.IsAsciiHexDigitLower) || !seen.Add(id) || seen.Count > OciLimits.MaxLayers)
            {
                throw TarFiles.NotAnArchive(name, $"the image '{Printable.Of(id)}' is malformed, its own parent, or one of too many");
            }

            var bytes = read(id);
            using var json = JsonDocument.Parse(bytes, OciJsonOptions.Document);
            chain.Add((id, bytes));
            id = json.RootElement.TryGetProperty("parent", out var parent) ? parent.GetString() : null;
        }

        chain.Reverse();
        return chain;
    }

    /// <summary>The config of the last of the chain, with the diff IDs and the history that it lacks.</summary>
    public static byte[] Config(List<(string Id, byte[] Json)> chain, List<Digest> diffIds)
    {
        using var top = JsonDocument.Parse(chain[^1].Json, OciJsonOptions.Document);
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var member in top.RootElement.EnumerateObject())
            {
                if (member.Name is not ("id" or "parent" or "Size" or "parent_id" or "layer_id" or "rootfs" or "history"))
                {
                    member.WriteTo(writer);
                }
            }

            writer.WriteStartObject("rootfs");
            writer.WriteString("type", "layers");
            writer.WriteStartArray("diff_ids");
            diffIds.ForEach(diffId => writer.WriteStringValue(diffId.ToString()));
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteStartArray("history");
            chain.ForEach(one => WriteHistory(writer, one.Json));
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteHistory(Utf8JsonWriter writer, byte[] image)
    {
        using var json = JsonDocument.Parse(image, OciJsonOptions.Document);
        writer.WriteStartObject();
        foreach (var (name, from) in (ReadOnlySpan<(string, string)>)[("created", "created"), ("author", "author"), ("comment", "comment")])
        {
            if (json.RootElement.TryGetProperty(from, out var value) && value.ValueKind == JsonValueKind.String)
            {
                writer.WriteString(name, value.GetString());
            }
        }

        if (json.RootElement.TryGetProperty("container_config", out var config)
            && config.ValueKind == JsonValueKind.Object
            && config.TryGetProperty("Cmd", out var command)
            && command.ValueKind == JsonValueKind.Array)
        {
            writer.WriteString("created_by", string.Join(' ', command.EnumerateArray().Select(word => word.GetString())));
        }

        writer.WriteEndObject();
    }
}
