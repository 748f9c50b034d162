using System.Buffers;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Cli.Output;

/// <summary>Copies a blob and tells at the end whether it was the right one.</summary>
internal static class VerifiedCopy
{
    private const int BufferBytes = 256 * 1024;

    public static async Task RunAsync(Stream source, Stream target, Digest digest, CancellationToken cancellationToken)
    {
        using var hash = Digest.CreateHash(digest.Algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int count;
            while ((count = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                hash.AppendData(buffer.AsSpan(0, count));
                await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (Digest.FromHash(digest.Algorithm, hash.GetHashAndReset()) != digest)
        {
            throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"The blob {digest} is damaged on disk: what was written is not it.",
                "Remove it with 'imagestore content rm' and pull the image again.");
        }
    }
}
