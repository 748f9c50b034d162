using ImageStore.Distribution.Archives;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer.Mirroring;

/// <summary>What the far side has, so that an archive for it need not hold it.</summary>
internal interface IHoldings
{
    /// <summary>The repository, by its name at the source, in which the far side has the blob of an image; null where it lacks it.</summary>
    Task<string?> FindAsync(MirrorImage image, Descriptor blob, CancellationToken cancellationToken);
}

/// <summary>What an earlier archive or an inventory says.</summary>
internal sealed class WrittenHoldings(ArchiveContents contents) : IHoldings
{
    private readonly Dictionary<Digest, string?> _known = contents.Blobs.Concat(contents.Elsewhere)
        .DistinctBy(blob => blob.Digest)
        .ToDictionary(blob => blob.Digest, blob => blob.Repository);

    public Task<string?> FindAsync(MirrorImage image, Descriptor blob, CancellationToken cancellationToken) =>
        Task.FromResult(_known.TryGetValue(blob.Digest, out var repository) ? repository ?? image.Source.RepositoryName : null);
}

/// <summary>What the far registry says itself, for whoever can ask it.</summary>
internal sealed class RegistryHoldings(RegistryClient registry, MirrorPrefix prefix) : IHoldings
{
    public async Task<string?> FindAsync(MirrorImage image, Descriptor blob, CancellationToken cancellationToken)
    {
        var there = new RepositoryTarget(registry.Repository(prefix.Map(image.Source, image.Path)));
        await using var closing = there.ConfigureAwait(false);
        return await there.HasBlobAsync(blob, cancellationToken).ConfigureAwait(false) ? image.Source.RepositoryName : null;
    }
}
