using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>One place that images are read from: a repository, a layout, an archive, a store.</summary>
/// <remarks>All members may be called at the same time.</remarks>
public interface IImageSource : IAsyncDisposable
{
    /// <summary>The place as messages name it, such as <c>docker.io/library/alpine</c> or <c>oci:images</c>.</summary>
    string Name { get; }

    /// <summary>What <paramref name="tagOrDigest"/> names; null when there is nothing of that name.</summary>
    /// <exception cref="ImageStoreException">The place cannot tell.</exception>
    Task<Descriptor?> FindAsync(string tagOrDigest, CancellationToken cancellationToken);

    /// <summary>A manifest or index, whose bytes are verified against <paramref name="descriptor"/>.</summary>
    /// <exception cref="ImageStoreException">It is missing (<see cref="ErrorKind.NotFound"/>), or its bytes are others
    /// (<see cref="ErrorKind.CorruptData"/>).</exception>
    Task<FetchedManifest> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken);

    /// <summary>A blob's bytes from <paramref name="offset"/> on. They are not verified: the reader hashes.</summary>
    /// <exception cref="ImageStoreException">It is missing (<see cref="ErrorKind.NotFound"/>).</exception>
    Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken);

    /// <summary>The manifests whose <c>subject</c> is <paramref name="subject"/>; none where there are none.</summary>
    /// <remarks><see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers">Distribution spec, listing referrers</see>.</remarks>
    Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, CancellationToken cancellationToken);

    /// <summary>The repositories of <paramref name="registry"/> that are known to have the blob, and that a target there can mount it from.</summary>
    IReadOnlyList<string> RepositoriesWith(Descriptor blob, string registry) => [];
}

/// <summary>A source that may have only a part of an image, and can tell at once which.</summary>
public interface IPartialSource : IImageSource
{
    /// <summary>Does it hold all bytes of the blob, as far as the size tells?</summary>
    bool Holds(Descriptor blob);
}
