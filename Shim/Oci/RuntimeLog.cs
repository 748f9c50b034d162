using System.Text.Json;

namespace ImageStore.Shim.Oci;

/// <summary>What an OCI runtime writes with <c>--log-format json</c>: an object a line, with <c>level</c> and <c>msg</c>.</summary>
internal static class RuntimeLog
{
    private const int TailBytes = 64 << 10;
    private const int LongestMessage = 8 << 10;

    /// <summary>The last error in a log, or null.</summary>
    public static string? LastError(string path) => LastError(BoundedFile.ReadTail(path, TailBytes));

    internal static string? LastError(ReadOnlySpan<byte> log)
    {
        string? found = null;
        foreach (var range in log.Split((byte)'\n'))
        {
            found = ErrorIn(log[range]) ?? found;
        }

        return found is null || found.Length <= LongestMessage ? found : found[..LongestMessage] + "…";
    }

    private static string? ErrorIn(ReadOnlySpan<byte> line)
    {
        try
        {
            string? level = null, message = null;
            var reader = new Utf8JsonReader(line);
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
                {
                    continue;
                }

                var isLevel = reader.ValueTextEquals("level"u8);
                var isMessage = reader.ValueTextEquals("msg"u8);
                if (reader.Read() && reader.TokenType == JsonTokenType.String)
                {
                    (level, message) = (isLevel ? reader.GetString() : level, isMessage ? reader.GetString() : message);
                }
            }

            return level is "error" or "fatal" ? message?.Trim() : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // The first line of the tail may be cut, and whatever the runtime calls may write what it likes.
            return null;
        }
    }
}
