using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>One place that images are written to: a repository, a layout, an archive, a store.</summary>
/// <remarks>
/// A manifest is written after everything that it refers to, and a tag after its manifest. Nothing is to be seen of an
/// archive before <see cref="CompleteAsync"/>; one that is disposed without it leaves nothing behind.
/// </remarks>
public interface IImageTarget : IAsyncDisposable
{
    /// <summary>The place as messages name it.</summary>
    string Name { get; }

    /// <summary>How many members may be called at the same time; 1 also keeps the order of what is written.</summary>
    int MaxConcurrency { get; }

    /// <summary>What a tag of the place names now; null when it names nothing, or the place cannot tell.</summary>
    Task<Descriptor?> FindAsync(string tagOrDigest, CancellationToken cancellationToken) => Task.FromResult<Descriptor?>(null);

    /// <summary>Does the place have all of the blob?</summary>
    Task<bool> HasBlobAsync(Descriptor blob, CancellationToken cancellationToken);

    /// <summary>Does the place have the manifest, and with it all that it refers to?</summary>
    Task<bool> HasManifestAsync(Descriptor manifest, CancellationToken cancellationToken);

    /// <summary>Takes the blob without bytes being sent, where another repository of the same registry has it.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="from">A place that has the blob; one that is no repository of the same registry is of no use.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <returns>Is it there now?</returns>
    Task<bool> TryMountAsync(Descriptor blob, IImageSource from, CancellationToken cancellationToken);

    /// <summary>Writes a blob and verifies it on the way.</summary>
    /// <param name="blob">What the bytes must be.</param>
    /// <param name="open">Opens the bytes from an offset on; called again where a transfer is taken up again.</param>
    /// <param name="progress">Is told how many bytes have arrived.</param>
    /// <param name="cancellationToken">Stops the transfer.</param>
    /// <exception cref="ImageStoreException">The bytes are others (<see cref="ErrorKind.CorruptData"/>), or the place refuses.</exception>
    Task PutBlobAsync(
        Descriptor blob, BlobOpener open, IProgress<long>? progress, CancellationToken cancellationToken);

    /// <summary>Writes a manifest or index byte for byte, under its digest and, where one is given, under a tag.</summary>
    /// <exception cref="ImageStoreException">The place refuses.</exception>
    Task PutManifestAsync(FetchedManifest manifest, string? tag, CancellationToken cancellationToken);

    /// <summary>Ends the writing; an archive is complete and in its place afterwards.</summary>
    Task CompleteAsync(CancellationToken cancellationToken);
}

/// <summary>Opens a blob's bytes from <paramref name="offset"/> on; the caller disposes the stream.</summary>
public delegate Task<Stream> BlobOpener(long offset, CancellationToken cancellationToken);
