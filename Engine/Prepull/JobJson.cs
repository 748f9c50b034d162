using System.Text.Json.Serialization;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Prepull;

/// <summary>Records of jobs on disk.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    AllowDuplicateProperties = false,
    MaxDepth = OciLimits.MaxJsonDepth,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(JobRecord))]
internal sealed partial class JobJson : JsonSerializerContext;
