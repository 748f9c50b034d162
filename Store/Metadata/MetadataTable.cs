using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ImageStore.Store.Metadata;

/// <summary>A named set of rows of one type.</summary>
/// <typeparam name="T">An immutable record.</typeparam>
/// <param name="name">The table's name: letters, digits and <c>-</c>.</param>
/// <param name="json">How rows are written.</param>
/// <param name="weight">What a row adds to the total of its namespace, such as its bytes; null where nobody asks.</param>
public sealed class MetadataTable<T>(string name, JsonTypeInfo<T> json, Func<T, long>? weight = null)
    where T : class
{
    /// <summary>The table's name.</summary>
    public string Name { get; } = name;

    internal byte[] Encode(T row) => JsonSerializer.SerializeToUtf8Bytes(row, json);

    internal T Decode(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize(bytes, json) ?? throw new JsonException("a row is null");

    internal long WeightOf(T row) => weight?.Invoke(row) ?? 0;
}
