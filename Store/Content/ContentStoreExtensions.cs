using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Store.Content;

/// <summary>Small blobs, which are handled whole.</summary>
public static class ContentStoreExtensions
{
    /// <summary>Reads a blob of at most <paramref name="limit"/> bytes and verifies its digest.</summary>
    /// <exception cref="ImageStoreException">It is missing, damaged or over the limit.</exception>
    public static async Task<byte[]> ReadVerifiedAsync(
        this IContentStore content, Descriptor descriptor, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(descriptor);
        var stream = content.OpenRead(descriptor.Digest);
        await using var opened = stream.ConfigureAwait(false);
        if (stream.Length > limit)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded, $"The blob {descriptor.Digest} has {stream.Length} bytes; the limit here is {limit}.");
        }

        var bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        return Digest.Compute(bytes, descriptor.Digest.Algorithm) == descriptor.Digest
            ? bytes
            : throw new ImageStoreException(
                ErrorKind.CorruptData,
                $"The blob {descriptor.Digest} is damaged on disk: its bytes have another digest.",
                "Remove it with 'imagestore content rm' and pull the image again.");
    }

    /// <summary>Sets labels, and removes those whose value is empty.</summary>
    /// <exception cref="ImageStoreException">The namespace does not see the blob (<see cref="ErrorKind.NotFound"/>).</exception>
    public static Task<ContentInfo> UpdateLabelsAsync(
        this IContentStore content, Digest digest, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        return content.UpdateLabelsAsync(digest, LabelUpdate.Set(labels), cancellationToken);
    }

    /// <summary>Stores <paramref name="bytes"/>, or sets the labels when the namespace has the blob already.</summary>
    /// <exception cref="ImageStoreException">They do not match <paramref name="descriptor"/>.</exception>
    public static async Task PutAsync(
        this IContentStore content,
        string reference,
        Descriptor descriptor,
        ReadOnlyMemory<byte> bytes,
        IReadOnlyDictionary<string, string> labels,
        Lease? lease,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(descriptor);
        var proof = BlobProof.FromBytes(descriptor, bytes.Span);
        if (await content.OpenUnlessThereAsync(reference, descriptor, proof, labels, lease, cancellationToken).ConfigureAwait(false)
            is not { } writer)
        {
            return;
        }

        await WriteAsync(writer, descriptor, bytes, labels, lease, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a small blob over the one that is there, whose bytes were found to be others.</summary>
    /// <exception cref="ImageStoreException">As <see cref="PutAsync"/>.</exception>
    public static async Task PutAgainAsync(
        this IContentStore content,
        string reference,
        Descriptor descriptor,
        ReadOnlyMemory<byte> bytes,
        IReadOnlyDictionary<string, string> labels,
        Lease? lease,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(descriptor);
        var writer = await content.WaitForWriterAsync(reference, descriptor.Size, descriptor.Digest.Algorithm, cancellationToken).ConfigureAwait(false);
        await WriteAsync(writer, descriptor, bytes, labels, lease, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens the ingest of a blob, or returns null when the namespace has the blob then; whoever else is writing it is waited for.</summary>
    public static async Task<ContentWriter?> OpenUnlessThereAsync(
        this IContentStore content,
        string reference,
        Descriptor descriptor,
        BlobProof proof,
        IReadOnlyDictionary<string, string> labels,
        Lease? lease,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(descriptor);
        if (await content.AdoptAsync(descriptor, proof, labels, lease, cancellationToken).ConfigureAwait(false) is not null)
        {
            return null;
        }

        var writer = await content.WaitForWriterAsync(
            reference, descriptor.Size, descriptor.Digest.Algorithm, cancellationToken).ConfigureAwait(false);

        // Whoever had the ingest may have finished the blob meanwhile.
        if (await content.AdoptAsync(descriptor, proof, labels, lease, cancellationToken).ConfigureAwait(false) is null)
        {
            return writer;
        }

        writer.Abort();
        await writer.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    private static async Task WriteAsync(
        ContentWriter writer,
        Descriptor descriptor,
        ReadOnlyMemory<byte> bytes,
        IReadOnlyDictionary<string, string> labels,
        Lease? lease,
        CancellationToken cancellationToken)
    {
        await using var opened = writer.ConfigureAwait(false);
        writer.Restart();
        writer.Write(bytes.Span);
        await writer.CommitAsync(descriptor, labels, lease, cancellationToken).ConfigureAwait(false);
    }
}
