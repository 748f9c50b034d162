using ImageStore.Store.Content;
using ImageStore.Store.Errors;
using ImageStore.Store.Images;
using ImageStore.Store.Oci;

namespace ImageStore.Engine;

/// <summary>Sums up images for a list. An image with a damaged or missing part is listed with what is left of it.</summary>
internal sealed class ImageLister(IContentStore content)
{
    public async Task<ImageListing> ListAsync(ImageRecord image, CancellationToken cancellationToken)
    {
        var summary = ImageSummary.Of(image) ?? await SumUpAsync(image.Target, cancellationToken).ConfigureAwait(false);
        return new ImageListing(
            image.Name, image.Target, summary.Size, summary.Platforms, image.Labels, image.CreatedAt, image.UpdatedAt);
    }

    /// <summary>Follows <paramref name="target"/> through the store.</summary>
    public async Task<ImageSummary> SumUpAsync(Descriptor target, CancellationToken cancellationToken)
    {
        HashSet<Digest> counted = [];
        List<string> platforms = [];
        var size = 0L;
        Stack<Descriptor> open = new([target]);
        while (open.TryPop(out var node) && counted.Count < OciLimits.MaxManifestsPerImage)
        {
            if (!Count(node)
                || await ReadAsync(node, OciLimits.MaxManifestBytes, cancellationToken).ConfigureAwait(false) is not { } bytes)
            {
                continue;
            }

            if (MediaTypes.IsIndex(node.MediaType))
            {
                foreach (var entry in OciDocument.ParseIndex(bytes, node.MediaType).Manifests.Reverse())
                {
                    open.Push(entry);
                }

                continue;
            }

            var manifest = OciDocument.ParseManifest(bytes, node.MediaType);
            var whole = true;
            foreach (var part in manifest.Layers.Prepend(manifest.Config))
            {
                whole &= counted.Contains(part.Digest) || Count(part);
            }

            if (whole && await PlatformAsync(node, manifest, cancellationToken).ConfigureAwait(false) is { } platform)
            {
                platforms.Add(platform);
            }
        }

        return new ImageSummary(size, platforms);

        bool Count(Descriptor blob)
        {
            if (content.Find(blob.Digest) is not { } found || !counted.Add(blob.Digest))
            {
                return false;
            }

            size += found.Size;
            return true;
        }
    }

    private async Task<string?> PlatformAsync(Descriptor node, Manifest manifest, CancellationToken cancellationToken)
    {
        if (node.Platform is { } said)
        {
            return ImageIndex.IsAttestation(node) ? null : said.Normalize().ToString();
        }

        if (!MediaTypes.IsConfig(manifest.Config.MediaType)
            || await ReadAsync(manifest.Config, OciLimits.MaxConfigBytes, cancellationToken).ConfigureAwait(false) is not { } bytes)
        {
            return null;
        }

        return OciDocument.ParseConfig(bytes, manifest.Layers.Count) is { Os: { } os, Architecture: { } architecture } config
            ? new Platform { Os = os, Architecture = architecture, Variant = config.Variant }.Normalize().ToString()
            : null;
    }

    private async Task<byte[]?> ReadAsync(Descriptor blob, int limit, CancellationToken cancellationToken)
    {
        try
        {
            return await content.ReadVerifiedAsync(blob, limit, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageStoreException failure) when (failure.Kind is ErrorKind.CorruptData or ErrorKind.LimitExceeded)
        {
            return null;
        }
    }
}
