using System.Text.Json;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Oci;

/// <summary>The few things that the shim asks of a bundle's <c>config.json</c>.</summary>
/// <param name="Annotations">All of them.</param>
/// <param name="HasOwnPids">Does the container have a new PID namespace, so that all of it ends with its first process?</param>
/// <param name="CgroupPath">Where its cgroup is to be; empty where the runtime chooses.</param>
internal sealed record BundleSpec(IReadOnlyDictionary<string, string> Annotations, bool HasOwnPids, string CgroupPath)
{
    private const int LargestBytes = 16 << 20;

    /// <summary>Reads a bundle's.</summary>
    /// <exception cref="ImageStoreException">It is missing, too large, or no OCI runtime spec.</exception>
    public static BundleSpec Read(string bundle)
    {
        var path = Path.Combine(bundle, "config.json");
        var content = BoundedFile.TryRead(path, LargestBytes) ?? throw new ImageStoreException(ErrorKind.NotFound, $"There is no {path}.");
        try
        {
            return Parse(content);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new ImageStoreException(ErrorKind.CorruptData, $"{path} is no OCI runtime spec: {malformed.Message}", inner: malformed);
        }
    }

    internal static BundleSpec Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal);
        if (document.RootElement.TryGetProperty("annotations", out var told) && told.ValueKind == JsonValueKind.Object)
        {
            foreach (var annotation in told.EnumerateObject().Where(annotation => annotation.Value.ValueKind == JsonValueKind.String))
            {
                annotations[annotation.Name] = annotation.Value.GetString()!;
            }
        }

        return new BundleSpec(annotations, OwnPids(document.RootElement), CgroupPathOf(document.RootElement));
    }

    private static string CgroupPathOf(JsonElement spec) =>
        spec.TryGetProperty("linux", out var linux) && linux.ValueKind == JsonValueKind.Object
        && linux.TryGetProperty("cgroupsPath", out var path) && path.ValueKind == JsonValueKind.String
            ? path.GetString()! : string.Empty;

    private static bool OwnPids(JsonElement spec) =>
        spec.TryGetProperty("linux", out var linux) && linux.ValueKind == JsonValueKind.Object
        && linux.TryGetProperty("namespaces", out var namespaces) && namespaces.ValueKind == JsonValueKind.Array
        && namespaces.EnumerateArray().Any(one =>
            one.TryGetProperty("type", out var type) && type.ValueEquals("pid")
            && (!one.TryGetProperty("path", out var path) || path.ValueEquals(string.Empty)));
}
