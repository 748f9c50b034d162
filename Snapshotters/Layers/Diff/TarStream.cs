using System.Security.Cryptography;
using ImageStore.Store;
using ImageStore.Store.Oci;

namespace ImageStore.Snapshotters.Layers.Diff;

/// <summary>What the tar is written into: hashes it and hands it on.</summary>
internal sealed class TarStream(Stream next, long limit) : WriteOnlyStream
{
    private readonly IncrementalHash _hash = Digest.CreateHash(DigestAlgorithm.Sha256);

    public long Bytes { get; private set; }

    /// <summary>The digest of all bytes so far.</summary>
    public Digest DiffId => Digest.FromHash(DigestAlgorithm.Sha256, _hash.GetCurrentHash());

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Bytes += buffer.Length;
        if (Bytes > limit)
        {
            throw DiffFault.TooLarge("unpacked bytes");
        }

        _hash.AppendData(buffer);
        next.Write(buffer);
    }

    protected override void Dispose(bool disposing)
    {
        _hash.Dispose();
        base.Dispose(disposing);
    }
}
