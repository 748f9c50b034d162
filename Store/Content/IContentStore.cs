using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Content;

/// <summary>The blobs that one namespace sees, and the ingests that become blobs.</summary>
/// <remarks>
/// Bytes are stored once for all namespaces; a namespace sees a blob after it wrote the bytes itself or after
/// <see cref="AdoptAsync"/>. An ingest lives from <see cref="OpenWriterAsync"/> until it is committed or aborted,
/// whatever happens to the process in between.
/// </remarks>
public interface IContentStore
{
    /// <summary>The blob, or null when this namespace does not see it.</summary>
    ContentInfo? Find(Digest digest);

    /// <summary>All blobs of the namespace, ordered by digest.</summary>
    IReadOnlyList<ContentInfo> List();

    /// <summary>Opens the blob for reading; the caller disposes the stream. The bytes are not verified again.</summary>
    /// <exception cref="ImageStoreException">The namespace does not see it (<see cref="ErrorKind.NotFound"/>), or its
    /// file is missing or of another size (<see cref="ErrorKind.CorruptData"/>).</exception>
    Stream OpenRead(Digest digest);

    /// <summary>Opens the ingest <paramref name="reference"/>, new or where it stopped: what it holds is hashed again first.</summary>
    /// <param name="reference">The ingest's name in this namespace, at most 1024 characters.</param>
    /// <param name="total">The bytes that are expected, or 0 when unknown.</param>
    /// <param name="algorithm">What the commit will verify with.</param>
    /// <param name="cancellationToken">Stops the hashing; the ingest stays.</param>
    /// <exception cref="ImageStoreException">Another writer has it (<see cref="ErrorKind.Unavailable"/>), or the namespace's quota does
    /// not have the bytes (<see cref="ErrorKind.NoSpace"/>).</exception>
    Task<ContentWriter> OpenWriterAsync(
        string reference, long total, DigestAlgorithm algorithm, CancellationToken cancellationToken);

    /// <summary>Does as <see cref="OpenWriterAsync"/>, but waits for another writer of the ingest to end first.</summary>
    Task<ContentWriter> WaitForWriterAsync(
        string reference, long total, DigestAlgorithm algorithm, CancellationToken cancellationToken);

    /// <summary>Whether <see cref="BlobProof.FromRegistry"/> of one of <paramref name="endpoints"/> would make the blob this namespace's.</summary>
    bool CouldProve(Digest digest, IReadOnlyCollection<string> endpoints);

    /// <summary>Shows the namespace a blob that the store already has, without its bytes being sent.</summary>
    /// <param name="descriptor">The blob.</param>
    /// <param name="proof">Why the namespace may have it, where it does not see it yet.</param>
    /// <param name="labels">Labels to set.</param>
    /// <param name="lease">What keeps it from now on.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The blob, or null when the store does not have its bytes, or the proof does not suffice (docs/tenancy.md): then they have to be sent.</returns>
    /// <exception cref="ImageStoreException">The namespace's quota does not have the bytes (<see cref="ErrorKind.NoSpace"/>).</exception>
    Task<ContentInfo?> AdoptAsync(
        Descriptor descriptor, BlobProof proof, IReadOnlyDictionary<string, string> labels, Lease? lease, CancellationToken cancellationToken);

    /// <summary>Changes labels.</summary>
    /// <exception cref="ImageStoreException">The namespace does not see the blob (<see cref="ErrorKind.NotFound"/>), or a label is
    /// malformed (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    Task<ContentInfo> UpdateLabelsAsync(Digest digest, LabelUpdate labels, CancellationToken cancellationToken);

    /// <summary>Takes the blob out of the namespace, and its bytes off the disk when no other namespace sees it.</summary>
    /// <exception cref="ImageStoreException">The namespace does not see it (<see cref="ErrorKind.NotFound"/>).</exception>
    Task RemoveAsync(Digest digest, CancellationToken cancellationToken);

    /// <summary>The ingests of the namespace.</summary>
    IReadOnlyList<IngestStatus> ListIngests();

    /// <summary>The ingest of that name, or null.</summary>
    IngestStatus? FindIngest(string reference);

    /// <summary>Deletes an ingest and its bytes.</summary>
    /// <exception cref="ImageStoreException">There is none (<see cref="ErrorKind.NotFound"/>), or it has a writer
    /// (<see cref="ErrorKind.Unavailable"/>).</exception>
    void AbortIngest(string reference);
}
