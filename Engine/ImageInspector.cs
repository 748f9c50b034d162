using ImageStore.Engine.Pull;
using ImageStore.Store.Content;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Engine;

/// <summary>Follows an image through the store.</summary>
internal sealed class ImageInspector(IContentStore content)
{
    public async Task<ImageDetails> InspectAsync(ImageRecord image, CancellationToken cancellationToken)
    {
        List<ManifestDetails> found = [];
        HashSet<Digest> seen = [];
        Stack<Descriptor> open = new([image.Target]);
        while (open.TryPop(out var node) && seen.Count < OciLimits.MaxManifestsPerImage)
        {
            if (!seen.Add(node.Digest) || content.Find(node.Digest) is null)
            {
                continue;
            }

            var bytes = await content.ReadVerifiedAsync(node, OciLimits.MaxManifestBytes, cancellationToken).ConfigureAwait(false);
            if (MediaTypes.IsIndex(node.MediaType))
            {
                foreach (var entry in OciDocument.ParseIndex(bytes, node.MediaType).Manifests.Reverse())
                {
                    open.Push(entry);
                }
            }
            else
            {
                found.Add(await DetailsAsync(node, OciDocument.ParseManifest(bytes, node.MediaType), cancellationToken)
                    .ConfigureAwait(false));
            }
        }

        return new ImageDetails(image, found);
    }

    private async Task<ManifestDetails> DetailsAsync(Descriptor node, Manifest manifest, CancellationToken cancellationToken)
    {
        var stored = new StoredImage(content);
        ImageConfig? config = null;
        if (StoredImage.IsFilesystem(manifest) && content.Find(manifest.Config.Digest) is not null)
        {
            config = await stored.ConfigAsync(manifest, cancellationToken).ConfigureAwait(false);
        }

        var platform = node.Platform?.ToString()
            ?? (config is { Os: { } os, Architecture: { } architecture }
                ? new Platform { Os = os, Architecture = architecture, Variant = config.Variant }.ToString()
                : null);
        return new ManifestDetails(
            node,
            platform,
            manifest.Config,
            manifest.Layers,
            stored.IsComplete(manifest),
            config is null ? null : ChainId.Of(config.RootFs.DiffIds)[^1],
            config?.Created);
    }
}
