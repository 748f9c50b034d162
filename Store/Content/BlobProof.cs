using ImageStore.Store.Oci;

namespace ImageStore.Store.Content;

/// <summary>Why a namespace may have a blob that it does not see yet.</summary>
/// <remarks>A digest is no secret, so knowing one proves nothing. A manifest that names it proves nothing either: anybody can
/// write one, and a registry of his own would serve it.</remarks>
public readonly record struct BlobProof
{
    private BlobProof(string? registry, bool hasBytes) => (Registry, HasBytes) = (registry, hasBytes);

    /// <summary>Nothing is known.</summary>
    public static BlobProof None => default;

    /// <summary>The registry endpoint that told the caller's own credentials, just now, that it would serve the blob.</summary>
    internal string? Registry { get; }

    /// <summary>Did the caller show the bytes?</summary>
    internal bool HasBytes { get; }

    /// <summary>A registry would serve the blob: that counts where the store had its bytes from the same one.</summary>
    /// <param name="endpoint">Scheme, host and port of a server whose identity is sure; null for none.</param>
    public static BlobProof FromRegistry(string? endpoint) => new(endpoint, hasBytes: false);

    /// <summary>The caller has the bytes.</summary>
    /// <returns>The proof, or none when they are others.</returns>
    public static BlobProof FromBytes(Descriptor blob, ReadOnlySpan<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return new(null, bytes.Length == blob.Size && Digest.Compute(bytes, blob.Digest.Algorithm) == blob.Digest);
    }
}
