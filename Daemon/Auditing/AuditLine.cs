using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grpc.Core;
using ImageStore.Daemon.Authorization;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Auditing;

/// <summary>Who did what, as a line of JSON.</summary>
internal static class AuditLine
{
    // It is read by people and by jq, never as a part of HTML: a plus may stay one.
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The line with its end.</summary>
    /// <param name="time">When the call ended.</param>
    /// <param name="peer">Who called; null where the kernel does not tell.</param>
    /// <param name="method">The method's path.</param>
    /// <param name="namespace">The namespace, where there is one.</param>
    /// <param name="about">What the call was about, where it said so.</param>
    /// <param name="code">What it ended with.</param>
    /// <param name="isLast">Are further denials of this user left out for a while?</param>
    public static byte[] Of(DateTimeOffset time, Peer? peer, string method, string? @namespace, string? about, StatusCode code, bool isLast)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            json.WriteString("time", time.UtcDateTime);
            if (peer is not null)
            {
                json.WriteNumber("uid", peer.User);
                json.WriteNumber("gid", peer.Group);
                json.WriteNumber("pid", peer.Process);
            }

            WriteText(json, "namespace", @namespace);
            WriteText(json, "method", method);
            WriteText(json, "about", about);
            json.WriteString("code", code.ToString());
            if (isLast)
            {
                json.WriteBoolean("more_denied_not_told", true);
            }

            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    // Clients choose these, up to whole messages of them.
    private static void WriteText(Utf8JsonWriter json, string name, string? text)
    {
        if (text is { Length: > 0 })
        {
            json.WriteString(name, Printable.Of(text));
        }
    }
}
