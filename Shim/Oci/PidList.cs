using System.Text;
using System.Text.Json;
using ImageStore.Runtime.Ttrpc;

namespace ImageStore.Shim.Oci;

/// <summary>The answer of a runtime's <c>ps</c>: a JSON array of numbers.</summary>
internal static class PidList
{
    /// <summary>Reads it; <c>null</c> is a container without processes.</summary>
    /// <exception cref="RpcException">It is something else.</exception>
    public static List<uint> Parse(string json)
    {
        var pids = new List<uint>();
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.Number)
                {
                    pids.Add(reader.GetUInt32());
                }
            }

            return pids;
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException)
        {
            throw new RpcException(RpcCode.Unknown, "The OCI runtime's list of processes is no list of numbers.", malformed);
        }
    }
}
