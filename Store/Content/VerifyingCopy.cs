using System.Buffers;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Content;

/// <summary>Copies a blob and makes sure that it is the one.</summary>
public static class VerifyingCopy
{
    private const int BufferBytes = 256 * 1024;

    /// <summary>Copies all of <paramref name="source"/>, and hashes it on the way.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="target">Where they go; what is wrong about them shows only at their end.</param>
    /// <param name="blob">What they have to be.</param>
    /// <param name="remedy">What somebody can do where they are something else.</param>
    /// <param name="progress">Told how many bytes were copied.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ImageStoreException">It is longer or shorter, or has another digest.</exception>
    public static async Task RunAsync(
        Stream source, Stream target, Descriptor blob, string remedy, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(blob);
        using var hash = Digest.CreateHash(blob.Digest.Algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long copied = 0;
            int count;
            while ((count = await source.ReadAsync(buffer.AsMemory(0, BufferBytes), cancellationToken).ConfigureAwait(false)) > 0)
            {
                copied += count;
                if (copied > blob.Size)
                {
                    throw Wrong(blob, remedy, "has more bytes than its descriptor says");
                }

                hash.AppendData(buffer.AsSpan(0, count));
                await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                progress?.Report(copied);
            }

            if (copied < blob.Size)
            {
                throw Wrong(blob, remedy, $"ends after {copied} of {blob.Size} bytes");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (Digest.FromHash(blob.Digest.Algorithm, hash.GetHashAndReset()) != blob.Digest)
        {
            throw Wrong(blob, remedy, "has another digest");
        }
    }

    private static ImageStoreException Wrong(Descriptor blob, string remedy, string why) =>
        new(ErrorKind.CorruptData, $"The blob {blob.Digest} {why}.", remedy);
}
