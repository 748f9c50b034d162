using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>A repository that images are written to.</summary>
public sealed class RepositoryTarget(RepositoryClient repository) : IImageTarget
{
    private const int ParallelUploads = 4;

    /// <inheritdoc/>
    public string Name => repository.Reference.RepositoryName;

    /// <summary>The registry that the repository is in.</summary>
    public string Registry => repository.Reference.Registry;

    /// <summary>The same repository to read from; it lives as long as this.</summary>
    internal RepositorySource AsSource { get; } = new(repository);

    /// <inheritdoc/>
    public int MaxConcurrency => ParallelUploads;

    /// <inheritdoc/>
    public async Task<Descriptor?> FindAsync(string tagOrDigest, CancellationToken cancellationToken)
    {
        try
        {
            return await repository.ResolveAsync(tagOrDigest, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException failure) when (IsAbsent(failure))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public Task<bool> HasBlobAsync(Descriptor blob, CancellationToken cancellationToken) =>
        repository.HasBlobAsync(blob, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> HasManifestAsync(Descriptor manifest, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return await FindAsync(manifest.Digest.ToString(), cancellationToken).ConfigureAwait(false) is not null;
    }

    /// <inheritdoc/>
    public async Task<bool> TryMountAsync(Descriptor blob, IImageSource from, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        var here = repository.Reference;
        return from.RepositoriesWith(blob, here.Registry).FirstOrDefault(other => other != here.Repository) is { } known
            && await repository.TryMountAsync(blob, known, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task PutBlobAsync(
        Descriptor blob, BlobOpener open, IProgress<long>? progress, CancellationToken cancellationToken) =>
        repository.PutBlobAsync(blob, open, progress, cancellationToken);

    /// <inheritdoc/>
    public Task PutManifestAsync(FetchedManifest manifest, string? tag, CancellationToken cancellationToken) =>
        repository.PutManifestAsync(manifest, string.IsNullOrEmpty(tag) ? null : tag, cancellationToken);

    /// <inheritdoc/>
    public Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        repository.Dispose();
        return ValueTask.CompletedTask;
    }

    // Some registries say 401 or 403 for a repository that is yet to be made; the upload then tells whether it may be.
    private static bool IsAbsent(ImageStoreException failure) =>
        failure.Kind is ErrorKind.NotFound or ErrorKind.PermissionDenied or ErrorKind.Unauthenticated;
}
