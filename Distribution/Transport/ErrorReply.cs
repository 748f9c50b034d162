using System.Text.Json;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Transport;

/// <summary>Turns a registry's refusal into an error that tells what to do.</summary>
internal static class ErrorReply
{
    /// <summary>The error for <paramref name="reply"/>, about <paramref name="subject"/> (a reference or blob).</summary>
    public static ImageStoreException ToException(Reply reply, string subject)
    {
        var status = (int)reply.Status;
        var host = Printable.Of(reply.FinalUri.Authority);
        var (kind, why, remedy) = status switch
        {
            401 => (ErrorKind.Unauthenticated, "credentials are missing or refused",
                "Check the name; if it is right, log in with `imagestore login`, `docker login` or `podman login`."),
            403 => (ErrorKind.PermissionDenied, "access is denied", IsRead(reply)
                ? "Ask for the right to pull this repository." : "Ask for the right to push to this repository."),
            404 => (ErrorKind.NotFound, "repository, tag or blob not found", "Check the spelling of name and tag."),
            429 => (ErrorKind.TooManyRequests, "the registry asks for fewer requests",
                "Wait, or log in to get a higher limit."),
            >= 500 or 408 => (ErrorKind.Unavailable, "the registry fails", "Try again later."),
            _ => (ErrorKind.Unavailable, "the registry's answer is not understood", (string?)"Try again later."),
        };
        var detail = Detail(reply.Body);
        return new ImageStoreException(
            kind,
            $"{subject}: {why} (HTTP {status} from {host}{(detail is null ? string.Empty : ": " + detail)}).",
            remedy);
    }

    private static bool IsRead(Reply reply) =>
        reply.Message.RequestMessage?.Method is not { } method || method == HttpMethod.Get || method == HttpMethod.Head;

    // Registries write many things here; only the status decides, this is for the reader.
    private static string? Detail(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("errors", out var errors)
                && errors.ValueKind == JsonValueKind.Array
                && errors.GetArrayLength() > 0
                && errors[0].ValueKind == JsonValueKind.Object)
            {
                var text = $"{Text(errors[0], "code")} {Text(errors[0], "message")}".Trim();
                return text.Length == 0 ? null : Printable.Of(text);
            }
        }
        catch (JsonException)
        {
            // HTML, plain text, half a document: nothing to add.
        }

        return null;
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
