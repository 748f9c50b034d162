namespace ImageStore.Distribution.Transport;

/// <summary>Bytes to send, which can be opened again for a repeat.</summary>
/// <param name="MediaType">The Content-Type.</param>
/// <param name="Length">How many bytes.</param>
/// <param name="Open">Opens them; the transport disposes the stream.</param>
internal sealed record RequestBody(string MediaType, long Length, Func<CancellationToken, Task<Stream>> Open)
{
    /// <summary>The Content-Range header of a chunk: first and last byte without a unit (distribution spec, pushing a blob in chunks).</summary>
    public string? ContentRange { get; init; }

    /// <summary>An upload session is opened and closed with none.</summary>
    public static RequestBody Empty { get; } = Of(ReadOnlyMemory<byte>.Empty, "application/octet-stream");

    public static RequestBody Of(ReadOnlyMemory<byte> bytes, string mediaType) => new(
        mediaType, bytes.Length, _ => Task.FromResult<Stream>(new MemoryStream(bytes.ToArray(), writable: false)));
}
