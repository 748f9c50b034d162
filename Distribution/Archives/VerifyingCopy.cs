using System.Buffers;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Archives;

/// <summary>Copies a blob and makes sure that it is the one.</summary>
internal static class VerifyingCopy
{
    /// <exception cref="ImageStoreException">It is longer or shorter, or has another digest.</exception>
    public static async Task RunAsync(
        Stream source, Stream target, Descriptor blob, int bufferBytes, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        using var hash = Digest.CreateHash(blob.Digest.Algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(bufferBytes);
        try
        {
            long copied = 0;
            int count;
            while ((count = await source.ReadAsync(buffer.AsMemory(0, bufferBytes), cancellationToken).ConfigureAwait(false)) > 0)
            {
                copied += count;
                if (copied > blob.Size)
                {
                    throw Wrong(blob, "has more bytes than its descriptor says");
                }

                hash.AppendData(buffer.AsSpan(0, count));
                await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                progress?.Report(copied);
            }

            if (copied < blob.Size)
            {
                throw Wrong(blob, $"ends after {copied} of {blob.Size} bytes");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (Digest.FromHash(blob.Digest.Algorithm, hash.GetHashAndReset()) != blob.Digest)
        {
            throw Wrong(blob, "has another digest");
        }
    }

    private static ImageStoreException Wrong(Descriptor blob, string why) => new(
        ErrorKind.CorruptData, $"The blob {blob.Digest} {why}.", "Its source is damaged: get it from another one.");
}
