using System.Text.Json.Serialization;

namespace ImageStore.Store.Tests.Metadata;

/// <summary>Rows that are no rows of ours.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class Texts : JsonSerializerContext;
