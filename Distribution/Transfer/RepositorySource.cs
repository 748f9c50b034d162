using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>A repository that images are read from.</summary>
public sealed class RepositorySource(RepositoryClient repository) : IImageSource
{
    /// <inheritdoc/>
    public string Name => repository.Reference.RepositoryName;

    /// <summary>Registry and repository.</summary>
    public ImageReference Reference => repository.Reference;

    /// <inheritdoc/>
    public async Task<Descriptor?> FindAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        try
        {
            return await repository.ResolveAsync(tagOrDigest, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException failure) when (failure.Kind == ErrorKind.NotFound)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public Task<FetchedManifest> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        repository.FetchManifestAsync(descriptor, cancellationToken);

    /// <inheritdoc/>
    public async Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
        await repository.OpenBlobAsync(blob, offset, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, CancellationToken cancellationToken) =>
        repository.ListReferrersAsync(subject, artifactType: null, cancellationToken);

    /// <inheritdoc/>
    public IReadOnlyList<string> RepositoriesWith(Descriptor blob, string registry) =>
        registry == Reference.Registry ? [Reference.Repository] : [];

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        repository.Dispose();
        return ValueTask.CompletedTask;
    }
}
