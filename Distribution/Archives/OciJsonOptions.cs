using System.Text.Json;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>How JSON of archives is read (bounded in depth, each member once) and written.</summary>
internal static class OciJsonOptions
{
    public static JsonDocumentOptions Document { get; } = new() { MaxDepth = OciLimits.MaxJsonDepth, AllowDuplicateProperties = false };

    /// <summary>The bytes of an <c>index.json</c>.</summary>
    public static byte[] Write(IReadOnlyList<Descriptor> entries) => JsonSerializer.SerializeToUtf8Bytes(
        new ImageIndex { SchemaVersion = 2, MediaType = MediaTypes.OciIndex, Manifests = entries }, OciJson.Writing.ImageIndex);
}
