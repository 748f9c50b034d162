using System.Text.Json.Serialization;
using ImageStore.Store.Containers;
using ImageStore.Store.Content;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Namespaces;

namespace ImageStore.Store;

/// <summary>How rows are written; unknown members of a later version are tolerated.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ContainerRow))]
[JsonSerializable(typeof(ContentRow))]
[JsonSerializable(typeof(ImageRow))]
[JsonSerializable(typeof(LeaseRow))]
[JsonSerializable(typeof(LeaseResourceRow))]
[JsonSerializable(typeof(NamespaceRow))]
internal sealed partial class StoreJson : JsonSerializerContext;
