using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Transfer;

/// <summary>The namespace's images, to read from.</summary>
internal sealed class StoreSource(IContentStore content, ImageCatalogue images) : IPartialSource
{
    public string Name => "the store";

    public Task<Descriptor?> FindAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        var target = images.Find(tagOrDigest)?.Target;
        if (target is null && !Digest.TryParse(tagOrDigest, out _) && tagOrDigest.AsSpan().IndexOfAny('/', ':') >= 0)
        {
            target = images.Find(ImageReference.Parse(tagOrDigest).Canonical)?.Target;
        }

        return Task.FromResult(target);
    }

    public async Task<FetchedManifest> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (content.Find(descriptor.Digest) is null)
        {
            throw Missing(descriptor.Digest);
        }

        return new FetchedManifest(
            descriptor,
            await content.ReadVerifiedAsync(descriptor, OciLimits.MaxManifestBytes, cancellationToken).ConfigureAwait(false));
    }

    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        if (content.Find(blob.Digest) is null)
        {
            throw Missing(blob.Digest);
        }

        var stream = content.OpenRead(blob.Digest);
        stream.Position = offset;
        return Task.FromResult(stream);
    }

    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Descriptor>>(
        [.. content.List()
            .Where(blob => blob.Labels.GetValueOrDefault(SubjectLabels.Subject) == subject.ToString())
            .Select(blob => new Descriptor
            {
                MediaType = blob.Labels.GetValueOrDefault(SubjectLabels.MediaType) ?? MediaTypes.OciManifest,
                Digest = blob.Digest,
                Size = blob.Size,
            })]);

    public IReadOnlyList<string> RepositoriesWith(Descriptor blob, string registry) =>
        content.Find(blob.Digest)?.Labels.GetValueOrDefault(Labels.SourcePrefix + registry)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];

    public bool Holds(Descriptor blob) => content.Find(blob.Digest)?.Size == blob.Size;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static ImageStoreException Missing(Digest digest) => new(
        ErrorKind.NotFound,
        $"The store does not have {digest}, a part of the image.",
        "Pull the image with --all-platforms, or choose with --platform what the store has.");
}
