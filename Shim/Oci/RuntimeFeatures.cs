using System.Text;
using System.Text.Json;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Shim.Processes;

namespace ImageStore.Shim.Oci;

/// <summary>What an OCI runtime can do, as its <c>features</c> prints: the runtime spec's <c>features.md</c>.</summary>
internal static class RuntimeFeatures
{
    /// <summary>The JSON; null where the runtime does not know the command, or prints something else.</summary>
    public static async Task<byte[]?> ReadAsync(CommandRunner commands, Options options, CancellationToken cancellation)
    {
        var result = await commands.RunAsync(new Command(OciRuntime.ProgramOf(options), ["features"]), cancellation).ConfigureAwait(false);
        var json = Encoding.UTF8.GetBytes(result.Output);
        return result.Code == 0 && IsObject(json) ? json : null;
    }

    private static bool IsObject(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
