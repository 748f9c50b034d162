using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Transfer;

/// <summary>Tells what a source has of an image of which it may have only a part.</summary>
public static class HeldParts
{
    /// <summary>Does <paramref name="source"/> have the document and all that it refers to? One that cannot tell is taken to have all.</summary>
    public static async Task<bool> HasAllAsync(IImageSource source, Descriptor document, CancellationToken cancellationToken)
    {
        if (source is not IPartialSource partial)
        {
            return true;
        }

        Stack<(Descriptor Node, int Depth)> open = new([(document, 0)]);
        for (var seen = 0; open.TryPop(out var next); seen++)
        {
            if (!partial.Holds(next.Node) || next.Depth > OciLimits.MaxIndexDepth || seen > OciLimits.MaxManifestsPerImage)
            {
                return false;
            }

            if (MediaTypes.IsDocument(next.Node.MediaType))
            {
                var fetched = await source.FetchManifestAsync(next.Node, cancellationToken).ConfigureAwait(false);
                var links = DocumentLinks.Parse(fetched.Bytes, next.Node.MediaType);
                foreach (var child in links.Manifests.Concat(links.Blobs.Where(blob => !MediaTypes.IsNonDistributable(blob.MediaType))))
                {
                    open.Push((child, next.Depth + 1));
                }
            }
        }

        return true;
    }

    /// <summary>The platforms of an index that <paramref name="source"/> has whole; null when it has all, or it is no index.</summary>
    /// <exception cref="ImageStoreException">A document is damaged.</exception>
    public static async Task<IReadOnlyList<Platform>?> PlatformsAsync(
        IImageSource source, Descriptor root, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(root);
        if (!MediaTypes.IsIndex(root.MediaType) || await HasAllAsync(source, root, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        var fetched = await source.FetchManifestAsync(root, cancellationToken).ConfigureAwait(false);
        List<Platform> held = [];
        foreach (var entry in OciDocument.ParseIndex(fetched.Bytes, root.MediaType).Manifests)
        {
            if (entry.Platform is { } platform
                && !ImageIndex.IsAttestation(entry)
                && await HasAllAsync(source, entry, cancellationToken).ConfigureAwait(false))
            {
                held.Add(platform);
            }
        }

        return held;
    }
}
