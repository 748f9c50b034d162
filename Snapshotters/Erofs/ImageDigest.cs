using System.Security.Cryptography;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using ImageStore.Store.Oci;

namespace ImageStore.Snapshotters.Erofs;

/// <summary>The digest of an image as it lies on the disk, holes as zeros.</summary>
internal static class ImageDigest
{
    private const int BufferBytes = 1 << 20;

    /// <exception cref="ImageStoreException">The disk refuses to read it.</exception>
    public static Digest Of(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var hash = Digest.CreateHash(DigestAlgorithm.Sha256);
            var size = RandomAccess.GetLength(file);
            var buffer = new byte[BufferBytes];
            var zeros = new byte[BufferBytes];
            for (long at = 0; at < size;)
            {
                // A sparse file of a layer may be a hole of gigabytes, of which nothing is to be read.
                var (start, end) = FileHoles.NextData(file, at, size, "a layer's image");
                Zeros(hash, zeros, start - at, cancellationToken);
                for (at = start; at < end;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(BufferBytes, end - at)), at);
                    if (read == 0)
                    {
                        return Digest.FromHash(DigestAlgorithm.Sha256, hash.GetHashAndReset());
                    }

                    hash.AppendData(buffer, 0, read);
                    at += read;
                }
            }

            return Digest.FromHash(DigestAlgorithm.Sha256, hash.GetHashAndReset());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw IoErrors.From(failure, "Reading a layer's image");
        }
    }

    private static void Zeros(IncrementalHash hash, byte[] zeros, long count, CancellationToken cancellationToken)
    {
        for (; count > 0; count -= zeros.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(zeros, 0, (int)Math.Min(count, zeros.Length));
        }
    }
}
