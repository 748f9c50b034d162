using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImageStore.Store.Oci;

/// <summary>How OCI documents are read: exact case, no duplicates, bounded depth; unknown members are tolerated.</summary>
[JsonSourceGenerationOptions(
    AllowDuplicateProperties = false,
    MaxDepth = OciLimits.MaxJsonDepth,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ArtifactManifest))]
[JsonSerializable(typeof(ImageConfig))]
[JsonSerializable(typeof(Descriptor))]
[JsonSerializable(typeof(Dictionary<string, string>))]
public sealed partial class OciJson : JsonSerializerContext
{
    /// <summary>For documents that are written, as the other tools write them: <c>+json</c> rather than an escape, which only
    /// a web page would need.</summary>
    public static OciJson Writing => s_writing ??=
        new OciJson(new JsonSerializerOptions(s_defaultOptions) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    // Made when it is asked for: the generated half of the class has no order with this one.
    private static OciJson? s_writing;
}
