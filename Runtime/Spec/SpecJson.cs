using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImageStore.Runtime.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Runtime.Spec;

/// <summary>How documents of the runtime are read and written: exact case, no duplicates, bounded depth.</summary>
[JsonSourceGenerationOptions(
    AllowDuplicateProperties = false,
    MaxDepth = OciLimits.MaxJsonDepth,
    RespectNullableAnnotations = true,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RuntimeSpec))]
[JsonSerializable(typeof(SeccompSpec))]
[JsonSerializable(typeof(ImageProcess.Document))]
internal sealed partial class SpecJson : JsonSerializerContext
{
    /// <summary>For what is written: a path's '+' stays readable.</summary>
    public static SpecJson Writing => s_writing ??=
        new SpecJson(new JsonSerializerOptions(s_defaultOptions) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>For what a user wrote, where a member that we do not know would be a rule that is not kept.</summary>
    public static SpecJson Strict => s_strict ??=
        new SpecJson(new JsonSerializerOptions(s_defaultOptions) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow });

    private static SpecJson? s_writing;
    private static SpecJson? s_strict;
}
