using System.Text.Json.Nodes;

namespace ImageStore.Engine.Rebase;

/// <summary>Merges what an image changed of its old base's settings with those of the new base.</summary>
/// <remarks>
/// What the image has as the old base had it, it has from there, and takes the new base's; what it changed, added or removed
/// stays so. Variables, labels, ports and volumes are looked at one by one, all else as a whole. (crane takes the image's settings as they are, so that
/// a base's new PATH never comes.)
/// </remarks>
internal static class ConfigMerge
{
    private const string Environment = "Env";

    public static JsonObject Merge(JsonObject image, JsonObject oldBase, JsonObject newBase)
    {
        var merged = new JsonObject();
        foreach (var name in newBase.Concat(image).Select(member => member.Key).Distinct(StringComparer.Ordinal))
        {
            var (a, o, n) = (image[name], oldBase[name], newBase[name]);
            var value = name == Environment ? ToArray(Members(Variables(a), Variables(o), Variables(n)))
                : (a ?? n) is JsonObject && (n ?? a) is JsonObject ? Members(a as JsonObject ?? [], o as JsonObject ?? [], n as JsonObject ?? [])
                : Choose(a, o, n);
            if (value is not null)
            {
                merged[name] = value;
            }
        }

        return merged;
    }

    private static JsonObject Members(JsonObject image, JsonObject oldBase, JsonObject newBase)
    {
        var merged = new JsonObject();
        foreach (var key in newBase.Concat(image).Select(member => member.Key).Distinct(StringComparer.Ordinal))
        {
            var (inImage, inOld, inNew) = (image.ContainsKey(key), oldBase.ContainsKey(key), newBase.ContainsKey(key));
            var isInherited = inImage == inOld && JsonNode.DeepEquals(image[key], oldBase[key]);
            if (isInherited ? inNew : inImage)
            {
                merged[key] = (isInherited ? newBase : image)[key]?.DeepClone();
            }
        }

        return merged;
    }

    private static JsonNode? Choose(JsonNode? image, JsonNode? oldBase, JsonNode? newBase) =>
        (JsonNode.DeepEquals(image, oldBase) ? newBase : image)?.DeepClone();

    private static JsonObject Variables(JsonNode? list)
    {
        var variables = new JsonObject();
        foreach (var entry in list as JsonArray ?? [])
        {
            var text = entry?.ToString() ?? string.Empty;
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            variables[equals < 0 ? text : text[..equals]] = equals < 0 ? null : text[(equals + 1)..];
        }

        return variables;
    }

    private static JsonArray? ToArray(JsonObject variables) => variables.Count == 0 ? null : new JsonArray(
        [.. variables.Select(variable => (JsonNode)JsonValue.Create(variable.Value is { } value ? $"{variable.Key}={value}" : variable.Key)!)]);
}
