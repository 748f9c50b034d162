using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>An archive that leaves out what its reader has: those blobs come from the reader's own repositories.</summary>
/// <param name="archive">What holds the rest.</param>
/// <param name="elsewhere">The blobs that it leaves out, each with a repository of the target that has it; null for a layout, which
/// has all blobs in one place.</param>
internal sealed class DeltaSource(IImageCollection archive, IReadOnlyDictionary<Digest, RepositorySource?> elsewhere) : IPartialSource
{
    public string Name => archive.Name;

    public Task<Descriptor?> FindAsync(string tagOrDigest, CancellationToken cancellationToken) => archive.FindAsync(tagOrDigest, cancellationToken);

    public Task<FetchedManifest> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        archive.FetchManifestAsync(descriptor, cancellationToken);

    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
        elsewhere.GetValueOrDefault(blob.Digest) is { } there
            ? there.OpenBlobAsync(blob, offset, cancellationToken)
            : archive.OpenBlobAsync(blob, offset, cancellationToken);

    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, CancellationToken cancellationToken) =>
        archive.ListReferrersAsync(subject, cancellationToken);

    public bool Holds(Descriptor blob) =>
        elsewhere.ContainsKey(blob.Digest) || archive is not IPartialSource partial || partial.Holds(blob);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
