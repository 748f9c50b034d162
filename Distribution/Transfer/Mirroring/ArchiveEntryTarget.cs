using ImageStore.Distribution.Registry;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>One image's way into an archive: notes what goes in, and leaves out the blobs that the far side has.</summary>
internal sealed class ArchiveEntryTarget(
    IImageTarget archive, ContentsBuilder contents, MirrorImage image, IReadOnlyList<IHoldings> have) : IImageTarget
{
    public string Name => archive.Name;

    public int MaxConcurrency => archive.MaxConcurrency;

    public Task<Descriptor?> FindAsync(string tagOrDigest, CancellationToken cancellationToken) =>
        archive.FindAsync(tagOrDigest, cancellationToken);

    public async Task<bool> HasBlobAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        if (await archive.HasBlobAsync(blob, cancellationToken).ConfigureAwait(false))
        {
            return true;
        }

        foreach (var holdings in have)
        {
            if (await holdings.FindAsync(image, blob, cancellationToken).ConfigureAwait(false) is { } repository)
            {
                contents.Elsewhere(blob, repository);
                return true;
            }
        }

        return false;
    }

    public Task<bool> HasManifestAsync(Descriptor manifest, CancellationToken cancellationToken) =>
        archive.HasManifestAsync(manifest, cancellationToken);

    public Task<bool> TryMountAsync(Descriptor blob, IImageSource from, CancellationToken cancellationToken) => Task.FromResult(false);

    public async Task PutBlobAsync(Descriptor blob, BlobOpener open, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        await archive.PutBlobAsync(blob, open, progress, cancellationToken).ConfigureAwait(false);
        contents.Hold(blob, image.Source.RepositoryName);
    }

    public async Task PutManifestAsync(FetchedManifest manifest, string? tag, CancellationToken cancellationToken)
    {
        await archive.PutManifestAsync(manifest, tag, cancellationToken).ConfigureAwait(false);
        contents.Hold(manifest.Descriptor, image.Source.RepositoryName);
        if (tag is not null)
        {
            contents.Name(tag, manifest.Descriptor);
        }
    }

    public Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
