using System.Buffers;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Engine.Pull;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Transfer;

/// <summary>The namespace, to write images into.</summary>
/// <remarks>
/// A blob that only other namespaces have is not taken on a manifest's word: whoever brings an archive has to bring the
/// bytes. <paramref name="names"/> makes an image's full name out of the tag that it is put under.
/// </remarks>
internal sealed class StoreTarget(
    IContentStore content, ImageCatalogue images, LeaseManager leases, Lease lease, Func<string, string> names) : IImageTarget
{
    private const int BufferBytes = 256 * 1024;
    private const int ParallelBlobs = 4;

    public string Name => "the store";

    public int MaxConcurrency => ParallelBlobs;

    // The lease keeps it from now on: until the image is named, nothing else may.
    public async Task<bool> HasBlobAsync(Descriptor blob, CancellationToken cancellationToken) =>
        content.Find(blob.Digest)?.Size == blob.Size
        && await content.AdoptAsync(blob, BlobProof.None, Labels.None, lease, cancellationToken).ConfigureAwait(false) is not null;

    // A manifest that is here tells nothing of its layers: they may be those of another platform.
    public Task<bool> HasManifestAsync(Descriptor manifest, CancellationToken cancellationToken) => Task.FromResult(false);

    public Task<bool> TryMountAsync(Descriptor blob, IImageSource from, CancellationToken cancellationToken) =>
        Task.FromResult(false);

    public async Task PutBlobAsync(
        Descriptor blob, BlobOpener open, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var writer = await content.WaitForWriterAsync(
            $"layer-{blob.Digest}", blob.Size, blob.Digest.Algorithm, cancellationToken).ConfigureAwait(false);
        await using var held = writer.ConfigureAwait(false);
        if (writer.Offset > blob.Size)
        {
            writer.Restart();
        }

        var resumed = writer.Offset > 0;
        if (writer.Offset < blob.Size)
        {
            await CopyAsync(writer, blob, open, progress, cancellationToken).ConfigureAwait(false);
        }

        if (resumed && !writer.Matches(blob))
        {
            writer.Restart();
            await CopyAsync(writer, blob, open, progress, cancellationToken).ConfigureAwait(false);
        }

        await writer.CommitAsync(blob, Labels.None, lease, cancellationToken).ConfigureAwait(false);
    }

    public async Task PutManifestAsync(FetchedManifest manifest, string? tag, CancellationToken cancellationToken)
    {
        var links = DocumentLinks.Parse(manifest.Bytes, manifest.Descriptor.MediaType);
        var labels = GcLabels.OfDocument(manifest.Bytes, manifest.Descriptor.MediaType, links);
        SubjectLabels.Add(labels, manifest.Descriptor, links);
        await content.PutAsync(
            $"manifest-{manifest.Descriptor.Digest}", manifest.Descriptor, manifest.Bytes, labels, lease, cancellationToken)
            .ConfigureAwait(false);
        if (tag is { Length: > 0 })
        {
            var summary = await new ImageLister(content).SumUpAsync(manifest.Descriptor, cancellationToken).ConfigureAwait(false);
            await images.PutAsync(
                names(tag), manifest.Descriptor, summary.ToLabels(manifest.Descriptor), cancellationToken).ConfigureAwait(false);
        }
    }

    // Where this is not reached the lease is left to expire, so that what came is still there for a repeat.
    public Task CompleteAsync(CancellationToken cancellationToken) => leases.DeleteAsync(lease.Id, CancellationToken.None);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task CopyAsync(
        ContentWriter writer, Descriptor blob, BlobOpener open, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var isWhole = writer.Offset == 0;
        var source = await open(writer.Offset, cancellationToken).ConfigureAwait(false);
        await using var opened = source.ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int count;
            while ((count = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if (writer.Offset + count > blob.Size)
                {
                    writer.Abort();
                    throw new ImageStoreException(
                        ErrorKind.CorruptData, $"The blob {blob.Digest} has more than its {blob.Size} bytes.");
                }

                writer.Write(buffer.AsSpan(0, count));
                progress?.Report(writer.Offset);
            }

            writer.Origin = isWhole ? (source as RegistryBlobStream)?.Origin : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
