using ImageStore.Snapshotters.Layers.Diff;
using ImageStore.Snapshotters.Mounts;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Diff;

/// <summary>A difference that became a blob.</summary>
/// <param name="Descriptor">The layer.</param>
/// <param name="Diff">What is in it.</param>
internal sealed record LayerBlob(Descriptor Descriptor, LayerDiff Diff)
{
    /// <summary>Streams the difference into the store; of a failure nothing is left.</summary>
    public static async Task<LayerBlob> WriteAsync(IContentStore content, LayerBlobRequest request, CancellationToken cancellationToken)
    {
        var (options, reference) = (request.Options, request.Reference ?? $"layer-diff-{Guid.NewGuid():N}");
        var writer = await content.OpenWriterAsync(reference, 0, DigestAlgorithm.Sha256, cancellationToken).ConfigureAwait(false);
        await using var opened = writer.ConfigureAwait(false);
        try
        {
            writer.Restart();
            var diff = await RunAsync(request.Lower, request.Upper, new IngestStream(writer), options, cancellationToken).ConfigureAwait(false);
            var layer = new Descriptor { MediaType = options.Compression.MediaType, Digest = writer.CurrentDigest, Size = writer.Offset };
            var labels = new Dictionary<string, string>(request.Labels, StringComparer.Ordinal) { [Labels.Uncompressed] = diff.DiffId.ToString() };
            await writer.CommitAsync(layer, labels, request.Lease, cancellationToken).ConfigureAwait(false);
            return new LayerBlob(layer, diff);
        }
        catch
        {
            writer.Abort();
            Forget(content, reference);
            throw;
        }
    }

    /// <summary>Writes the difference into any stream.</summary>
    public static Task<LayerDiff> RunAsync(
        IReadOnlyList<Mount> lower, IReadOnlyList<Mount> upper, Stream output, DiffOptions options, CancellationToken cancellationToken) =>
        // It blocks on the disk for as long as it takes, so it does not belong on the pool.
        Task.Factory.StartNew(
            () => LayerDiffer.Write(lower, upper, output, options, cancellationToken),
            cancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

    // A commit that the quota refuses gives the bytes back as an ingest, which for a name that never comes again is of no use.
    private static void Forget(IContentStore content, string reference)
    {
        try
        {
            content.AbortIngest(reference);
        }
        catch (ImageStoreException gone) when (gone.Kind == ErrorKind.NotFound)
        {
        }
    }
}
