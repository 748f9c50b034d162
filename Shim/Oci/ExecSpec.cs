using System.Text.Json;
using Google.Protobuf;
using ImageStore.Runtime.Ttrpc;

namespace ImageStore.Shim.Oci;

/// <summary>The OCI process of an exec, as JSON.</summary>
internal static class ExecSpec
{
    /// <summary>The same with <c>terminal</c> as it is asked for in the call.</summary>
    /// <exception cref="RpcException">It is no JSON object.</exception>
    public static byte[] WithTerminal(ByteString process, bool terminal)
    {
        try
        {
            using var document = JsonDocument.Parse(process.Memory);
            var changed = new MemoryStream();
            using (var writer = new Utf8JsonWriter(changed))
            {
                writer.WriteStartObject();
                foreach (var member in document.RootElement.EnumerateObject().Where(member => !member.NameEquals("terminal")))
                {
                    member.WriteTo(writer);
                }

                writer.WriteBoolean("terminal", terminal);
                writer.WriteEndObject();
            }

            return changed.ToArray();
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new RpcException(RpcCode.InvalidArgument, "The exec's spec is no OCI process.", malformed);
        }
    }
}
