using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Transport;

/// <summary>Reads bodies into memory, never more than a limit that is ours.</summary>
internal static class CappedBody
{
    public const int MaxErrorBytes = 64 * 1024;
    private const int FirstBuffer = 16 * 1024;

    /// <summary>The whole body.</summary>
    /// <exception cref="ImageStoreException">It is longer than <paramref name="limit"/>.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(
        HttpResponseMessage message, int limit, RegistryOptions options, CancellationToken ct)
    {
        if (message.Content.Headers.ContentLength > limit)
        {
            throw TooLong(limit);
        }

        var body = await ReadUpToAsync(message, limit + 1, options, ct).ConfigureAwait(false);
        return body.Length > limit ? throw TooLong(limit) : body;
    }

    /// <summary>The start of an error's body; a body that breaks off does not hide the status.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadErrorAsync(
        HttpResponseMessage message, RegistryOptions options, CancellationToken ct)
    {
        try
        {
            return await ReadUpToAsync(message, MaxErrorBytes, options, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or TimeoutException)
        {
            return default;
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadUpToAsync(
        HttpResponseMessage message, int most, RegistryOptions options, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(options.ResponseTimeout, options.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        try
        {
            var stream = await message.Content.ReadAsStreamAsync(linked.Token).ConfigureAwait(false);
            var buffer = new byte[Math.Min(most, FirstBuffer)];
            var length = 0;
            while (length < most)
            {
                if (length == buffer.Length)
                {
                    Array.Resize(ref buffer, Math.Min(most, buffer.Length * 2));
                }

                var read = await stream.ReadAsync(buffer.AsMemory(length), linked.Token).ConfigureAwait(false);
                if (read == 0)
                {
                    break;
                }

                length += read;
            }

            return buffer.AsMemory(0, length);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException("The body did not come in time.", e);
        }
    }

    private static ImageStoreException TooLong(int limit) => new(
        ErrorKind.LimitExceeded,
        $"The registry's answer is longer than {limit} bytes.",
        "The image is not usable here, or the address is not a registry.");
}
