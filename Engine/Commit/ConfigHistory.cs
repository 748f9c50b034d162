using System.Text.Json.Nodes;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Commit;

/// <summary>The layers and their history in an image's configuration (image spec, config.md).</summary>
internal static class ConfigHistory
{
    private const string History = "history";
    private const string EmptyLayer = "empty_layer";

    /// <summary>The entries, made up to one for each layer where their maker left them out.</summary>
    public static List<JsonNode> Of(JsonObject config, int layers)
    {
        List<JsonNode> entries = [.. (config[History] as JsonArray ?? []).Select(entry => entry?.DeepClone() ?? new JsonObject())];
        for (var missing = layers - entries.Count(IsLayer); missing > 0; missing--)
        {
            entries.Insert(0, new JsonObject());
        }

        return entries;
    }

    /// <summary>The entries after those of a base with <paramref name="layers"/> layers.</summary>
    public static IEnumerable<JsonNode> After(List<JsonNode> entries, List<JsonNode> ofBase, int layers)
    {
        if (entries.Count >= ofBase.Count && entries.Zip(ofBase).All(pair => JsonNode.DeepEquals(pair.First, pair.Second)))
        {
            return entries.Skip(ofBase.Count);
        }

        var at = 0;
        for (var seen = 0; at < entries.Count && seen < layers; at++)
        {
            seen += IsLayer(entries[at]) ? 1 : 0;
        }

        return entries.Skip(at);
    }

    /// <summary>Sets both.</summary>
    public static void Set(JsonObject config, IEnumerable<Digest> diffIds, IEnumerable<JsonNode> history)
    {
        config["rootfs"] = new JsonObject
        {
            ["type"] = "layers", ["diff_ids"] = new JsonArray([.. diffIds.Select(diffId => (JsonNode)JsonValue.Create(diffId.ToString())!)]),
        };
        config[History] = new JsonArray([.. history]);
    }

    private static bool IsLayer(JsonNode entry) =>
        entry is not JsonObject { } known || known[EmptyLayer] is not JsonValue value || !value.TryGetValue(out bool isEmpty) || !isEmpty;
}
