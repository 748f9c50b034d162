using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Store;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Leases;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Pull;

/// <summary>Walks from a descriptor to image manifests, and brings the documents on the way into the store.</summary>
internal sealed class ManifestWalker(
    IContentStore content, RepositoryClient repository, ImageReference reference, Lease lease, TransferProgress progress)
{
    private const int MaxPlatformsShown = 20;
    private const string Rebuild = "Ask the image's publisher for an index without such nesting.";

    private readonly SortedSet<string> _platforms = new(StringComparer.Ordinal);
    private readonly HashSet<Digest> _damaged = [];
    private int _documents;

    /// <summary>The image of <paramref name="platform"/>, best match first, through nested indexes.</summary>
    /// <exception cref="ImageStoreException">There is none (<see cref="ErrorKind.NotFound"/>).</exception>
    public async Task<StoredManifest> SelectAsync(Descriptor target, Platform platform, CancellationToken cancellationToken) =>
        await FindAsync(target, platform, 0, cancellationToken).ConfigureAwait(false)
            ?? throw new ImageStoreException(
                ErrorKind.NotFound,
                $"{reference} has no image for the platform {platform}{Others()}.",
                "Choose one that it has with --platform, or take all with --all-platforms.");

    /// <summary>Every image below <paramref name="target"/>.</summary>
    public async Task<IReadOnlyList<StoredManifest>> AllAsync(Descriptor target, CancellationToken cancellationToken)
    {
        List<StoredManifest> found = [];
        HashSet<Digest> seen = [];
        Stack<(Descriptor Node, int Depth)> open = new([(target, 0)]);
        while (open.TryPop(out var next))
        {
            if (!seen.Add(next.Node.Digest))
            {
                continue;
            }

            if (MediaTypes.IsIndex(next.Node.MediaType))
            {
                var index = await IndexAsync(next.Node, next.Depth, cancellationToken).ConfigureAwait(false);
                foreach (var entry in index.Manifests.Reverse())
                {
                    open.Push((entry, next.Depth + 1));
                }
            }
            else
            {
                found.Add(await ManifestAsync(next.Node, cancellationToken).ConfigureAwait(false));
            }
        }

        return found;
    }

    private async Task<StoredManifest?> FindAsync(
        Descriptor node, Platform platform, int depth, CancellationToken cancellationToken)
    {
        if (!MediaTypes.IsIndex(node.MediaType))
        {
            return await ManifestAsync(node, cancellationToken).ConfigureAwait(false);
        }

        var index = await IndexAsync(node, depth, cancellationToken).ConfigureAwait(false);
        _platforms.UnionWith(index.Manifests.Select(entry => entry.Platform?.ToString()).OfType<string>());
        foreach (var candidate in index.CandidatesFor(platform))
        {
            if (await FindAsync(candidate, platform, depth + 1, cancellationToken).ConfigureAwait(false) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private string Others() => _platforms.Count == 0
        ? string.Empty
        : $", only for {Printable.Of(string.Join(", ", _platforms.Take(MaxPlatformsShown)))}{(_platforms.Count > MaxPlatformsShown ? ", …" : string.Empty)}";

    private async Task<ImageIndex> IndexAsync(Descriptor node, int depth, CancellationToken cancellationToken)
    {
        if (depth >= OciLimits.MaxIndexDepth)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded, $"{reference} nests indexes deeper than {OciLimits.MaxIndexDepth}.", Rebuild);
        }

        var bytes = await BytesAsync(node, cancellationToken).ConfigureAwait(false);
        var index = OciDocument.ParseIndex(bytes, node.MediaType);
        await StoreAsync(node, "index", bytes, GcLabels.OfIndex(index), cancellationToken).ConfigureAwait(false);
        return index;
    }

    private async Task<StoredManifest> ManifestAsync(Descriptor node, CancellationToken cancellationToken)
    {
        if (!MediaTypes.IsManifest(node.MediaType))
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"{reference} is of the type {Printable.Of(node.MediaType)}, which is no image manifest or index.",
                MediaTypes.IsSchema1(node.MediaType)
                    ? "Docker's schema 1 is not supported: have the image pushed again by a present-day tool."
                    : null);
        }

        var bytes = await BytesAsync(node, cancellationToken).ConfigureAwait(false);
        var manifest = OciDocument.ParseManifest(bytes, node.MediaType);
        await StoreAsync(node, "manifest", bytes, GcLabels.OfManifest(manifest), cancellationToken).ConfigureAwait(false);
        return new StoredManifest(node, manifest);
    }

    private async Task<ReadOnlyMemory<byte>> BytesAsync(Descriptor node, CancellationToken cancellationToken)
    {
        if (++_documents > OciLimits.MaxManifestsPerImage)
        {
            throw new ImageStoreException(
                ErrorKind.LimitExceeded, $"{reference} reaches more than {OciLimits.MaxManifestsPerImage} manifests.", Rebuild);
        }

        if (content.Find(node.Digest) is not null)
        {
            try
            {
                return await content.ReadVerifiedAsync(node, OciLimits.MaxManifestBytes, cancellationToken).ConfigureAwait(false);
            }
            catch (ImageStoreException failure) when (failure.Kind == ErrorKind.CorruptData)
            {
                _damaged.Add(node.Digest);
            }
        }

        var fetched = await repository.FetchManifestAsync(node, cancellationToken).ConfigureAwait(false);
        return fetched.Bytes;
    }

    private async Task StoreAsync(
        Descriptor node, string kind, ReadOnlyMemory<byte> bytes, Dictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var blob = progress.Add(node, kind);
        GcLabels.AddSource(
            labels,
            reference.Registry,
            reference.Repository,
            content.Find(node.Digest)?.Labels.GetValueOrDefault(Labels.SourcePrefix + reference.Registry));
        await (_damaged.Remove(node.Digest)
            ? content.PutAgainAsync($"{kind}-{node.Digest}", node, bytes, labels, lease, cancellationToken)
            : content.PutAsync($"{kind}-{node.Digest}", node, bytes, labels, lease, cancellationToken)).ConfigureAwait(false);
        (blob.Done, blob.State) = (node.Size, BlobState.Done);
    }
}

/// <summary>A manifest that is in the store.</summary>
/// <param name="Descriptor">What names it.</param>
/// <param name="Manifest">What it says.</param>
internal sealed record StoredManifest(Descriptor Descriptor, Manifest Manifest);
