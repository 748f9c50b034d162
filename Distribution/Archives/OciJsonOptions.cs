using System.Text.Json;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>How JSON of archives is read: bounded in depth, each member once.</summary>
internal static class OciJsonOptions
{
    public static JsonDocumentOptions Document { get; } = new() { MaxDepth = OciLimits.MaxJsonDepth, AllowDuplicateProperties = false };
}
